//! `pod` on what is not plain old data.

struct NotPod(#[allow(dead_code)] bool);

#[derive(podwire::Codec)]
struct Holder {
    #[codec(pod)]
    field: NotPod,
    #[codec(pod)]
    list: Vec<String>,
}

fn main() {}
