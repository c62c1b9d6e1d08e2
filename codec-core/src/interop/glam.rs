//! Vectors, quaternions, matrices and affine maps: arrays of their numbers, matrices column by column.
#![allow(unsafe_code, reason = "the traits' methods for types with a layout are unsafe")]

use glam::{
    Affine2, Affine3A, DAffine2, DAffine3, DMat2, DMat3, DMat4, DQuat, DVec2, DVec3, DVec4, IVec2, IVec3,
    IVec4, Mat2, Mat3, Mat3A, Mat4, Quat, UVec2, UVec3, UVec4, Vec2, Vec3, Vec3A, Vec4,
};

use crate::types::through::through;

/// Types that are so many numbers. All of them are `repr(C)` with their parts in the order in which they are written, or one
/// register of them; so where a type is as large as its numbers, its memory is they, and nothing lies between.
macro_rules! arrays {
    ($to:ident, $from:expr; $($type:ident as [$number:ident; $count:literal])+) => {
        through! {$(
            @(size_of::<$type>() == size_of::<[$number; $count]>())
            [] $type as [$number; $count], "numbers": |value| value.$to(), |numbers| Some($from(numbers));
        )+}
    };
}

arrays! {
    to_array, Self::from_array;
    Vec2 as [f32; 2] Vec3 as [f32; 3] Vec3A as [f32; 3] Vec4 as [f32; 4] Quat as [f32; 4]
    DVec2 as [f64; 2] DVec3 as [f64; 3] DVec4 as [f64; 4] DQuat as [f64; 4]
    IVec2 as [i32; 2] IVec3 as [i32; 3] IVec4 as [i32; 4]
    UVec2 as [u32; 2] UVec3 as [u32; 3] UVec4 as [u32; 4]
}

arrays! {
    to_cols_array, |numbers| Self::from_cols_array(&numbers);
    Mat2 as [f32; 4] Mat3 as [f32; 9] Mat3A as [f32; 9] Mat4 as [f32; 16]
    DMat2 as [f64; 4] DMat3 as [f64; 9] DMat4 as [f64; 16]
    Affine2 as [f32; 6] Affine3A as [f32; 12] DAffine2 as [f64; 6] DAffine3 as [f64; 12]
}
