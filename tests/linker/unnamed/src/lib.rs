//! A registration in a crate that is listed and named nowhere.

podwire::register_codec!((u8, u8, u8, u8, u32), "unnamed");
