use cacheado::cached;

struct NoDisplay;

#[cached(tags)]
fn without_value(user_id: u32) -> u32 {
    user_id
}

#[cached(tags = "user")]
fn assigned(user_id: u32) -> u32 {
    user_id
}

#[cached(tags())]
fn empty(user_id: u32) -> u32 {
    user_id
}

#[cached(tags(user_id))]
fn no_literal(user_id: u32) -> u32 {
    user_id
}

#[cached(tags("user:{usr_id}"))]
fn slip(user_id: u32) -> u32 {
    user_id
}

#[cached(tags("all", "user:{}"))]
fn nameless(user_id: u32) -> u32 {
    user_id
}

#[cached(tags("user:{user_id.name}"))]
fn expression(user_id: u32) -> u32 {
    user_id
}

#[cached(tags("user:{user_id"))]
fn unclosed(user_id: u32) -> u32 {
    user_id
}

#[cached(tags("user:{user_id}"), skip(user_id))]
fn no_display(user_id: NoDisplay) -> u32 {
    let _ = user_id;
    1
}

fn main() {}
