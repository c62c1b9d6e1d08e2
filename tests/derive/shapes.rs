use podwire::{Codec, Encode};
#[derive(Debug, PartialEq, Codec)]
struct P { x: u8, name: String, y: u16 }
#[derive(Debug, PartialEq, Codec)]
struct Tri { a: [f32; 3], b: [f32; 3], c: glam::Vec3, v: Vec<glam::Vec3>, o: Option<Vec<glam::Vec3>>, p: P }
#[derive(Debug, PartialEq, Codec)]
enum E { A, B(String), C { a: u8, p: P, v: glam::Vec3 }, D(glam::Vec3) }
#[test]
fn a() {
    let v = podwire::to_vec(&P { x: 1, name: "ab".into(), y: 2 }).unwrap();
    assert_eq!(v, [1, 2, 0, 0, 0, 2, 0, b'a', b'b']);
    assert_eq!(P::LAYOUT.facts().head, 7);
    for e in [E::A, E::B("x".into()), E::C { a: 1, p: P { x: 1, name: "ab".into(), y: 2 }, v: glam::Vec3::ONE}, E::D(glam::Vec3::ONE)] {
        let v = podwire::to_vec(&e).unwrap();
        assert_eq!(podwire::from_slice::<E>(&v).unwrap(), e);
    }
}
