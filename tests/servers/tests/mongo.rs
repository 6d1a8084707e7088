//! One MongoDB server.

use std::net::TcpStream;

use cacheado_servers::MongoDb;

#[test]
fn a_replica_set_comes_back_after_a_kill() {
    let Some(mongo) = MongoDb::start() else { return };
    assert_eq!(mongo.uri(), format!("mongodb://127.0.0.1:{}/?replicaSet=rs0", mongo.port()));
    assert_eq!(mongo.calls("noSuchCommand"), 0);
    mongo.kill();
    assert!(TcpStream::connect(("127.0.0.1", mongo.port())).is_err());
    mongo.restart();
    mongo.pause();
    mongo.resume();
    assert!(mongo.calls("hello") > 0);
}

#[test]
fn a_server_alone_takes_writes() {
    let Some(mongo) = MongoDb::standalone() else { return };
    assert!(mongo.uri().ends_with("/?directConnection=true"));
    let before = mongo.opcounters();
    assert!(mongo.opcounters().command > before.command);
}
