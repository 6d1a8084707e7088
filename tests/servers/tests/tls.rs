//! A Redis server with TLS.

use cacheado_servers::Redis;
use redis::{Client, TlsCertificates};

#[test]
fn a_client_that_trusts_the_certificate_is_served() {
    let Some((redis, tls)) = Redis::start_tls() else { return };
    redis.command(&["SET", "key", "value"]);

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let get = |root_cert: Option<Vec<u8>>| {
        let client =
            Client::build_with_tls(tls.url(), TlsCertificates { client_tls: None, root_cert }).unwrap();
        runtime.block_on(async move {
            let mut connection = client.get_multiplexed_async_connection().await?;
            redis::cmd("GET").arg("key").query_async::<String>(&mut connection).await
        })
    };
    assert_eq!(get(Some(tls.certificate().into())).unwrap(), "value");
    get(None).unwrap_err();
}
