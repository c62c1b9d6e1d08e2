//! Several devices in one process: memory stays on its own, copies go from one to the other.

use std::sync::Arc;

use podwire_codec_core::{
    Codec, Gather,
    tensor::{Device as TensorDevice, Tensor},
};
use podwire_fastio::{ChannelOptions, FastIoContext, ForeignMemory};

use super::{Both, SIZE, Stage, next, own_mock_of, pattern, tell_of_two};
use crate::{Device, Error, kind::Kind};

/// A tensor on each of two devices.
fn pair(stage: &Stage, second: &Device) -> [(Tensor, Tensor); 2] {
    [(&stage.gpu, 1), (second, 2)].map(|(gpu, seed)| {
        let host = Tensor::from_vec(pattern(seed), &[SIZE / 100, 100]).unwrap();
        let device = gpu.place(&stage.context, &host).unwrap();
        assert_eq!(device.device(), TensorDevice::cuda(gpu.ordinal()));
        (device, host)
    })
}

#[test]
fn tensors_of_two_devices_travel_in_one_message_and_stay_where_they_are() {
    tell_of_two("two", |stage, second| {
        let [(first, one), (second, two)] = pair(stage, second);
        let mut echo = stage.actor("echo");
        echo.says("listening");
        let options = ChannelOptions::new().capacity(2);
        let mut sender = stage.context.sender("there", &options).unwrap();
        let mut receiver = stage.context.receiver("back", &options).unwrap();
        let before = stage.gpu.stats();
        sender.send_value::<Both>(&("two".into(), first.clone(), second.clone())).unwrap();
        let (_, back, again) = receiver.receive().unwrap().value::<Both>().unwrap();
        for (sent, received) in [(&first, &back), (&second, &again)] {
            assert_eq!(received.device(), sent.device());
            assert_eq!(received.segment().device_address(), sent.segment().device_address());
        }
        let now = stage.gpu.stats();
        assert_eq!((now.bytes_to_host, now.bytes_on_device), (before.bytes_to_host, before.bytes_on_device));
        // Whichever device is asked.
        assert!(stage.gpu.fetch(&again).unwrap() == two && again.to_host().unwrap() == two);
        assert!(back.to_host().unwrap() == one);
        drop(sender);
        echo.says("imported 2");
        echo.ends();
    });
}

#[test]
fn a_tensor_gets_to_another_device_by_a_copy_that_is_counted() {
    tell_of_two("across", |stage, second| {
        let [(first, one), (other, two)] = pair(stage, second);
        let before = stage.gpu.stats();
        let placed = stage.gpu.place(&stage.context, &other).unwrap();
        assert_eq!(placed.device(), TensorDevice::cuda(0));
        assert!(stage.gpu.fetch(&placed).unwrap() == two);
        let memory = second.create(&stage.context, SIZE + 1).unwrap();
        memory.map_mut().unwrap().copy_from(1, &first).unwrap();
        assert!(memory.to_vec().unwrap()[1..] == *one.as_slice::<u8>().unwrap());
        memory.map_mut().unwrap().copy_from(0, &other).unwrap();
        let now = stage.gpu.stats();
        assert_eq!(now.bytes_on_device, before.bytes_on_device + 3 * SIZE as u64);
        assert_eq!(now.bytes_to_device, before.bytes_to_device);
    });
}

#[test]
fn what_another_library_has_on_the_second_device_is_staged_and_shared_from_there() {
    tell_of_two("guests", |stage, second| {
        let [(first, one), (other, two)] = pair(stage, second);
        let wrong = stage.gpu.from_dlpack(other.to_dlpack().unwrap(), None);
        assert!(matches!(wrong, Err(Error::WrongDevice { found: 1, ordinal: 0 })), "{wrong:?}");
        let guests = [
            stage.gpu.from_dlpack(first.to_dlpack().unwrap(), None).unwrap(),
            second.from_dlpack(other.to_dlpack().unwrap(), None).unwrap(),
        ];
        let before = stage.gpu.stats();
        let (mut sender, mut receiver) = stage.context.channel("guests", &ChannelOptions::new()).unwrap();
        let [zero, one_more] = guests.clone();
        sender.send_value::<Both>(&("guests".into(), zero, one_more)).unwrap();
        let (_, copy, another) = receiver.receive().unwrap().value::<Both>().unwrap();
        assert_eq!([copy.device(), another.device()], [0, 1].map(TensorDevice::cuda));
        assert_eq!(stage.gpu.stats().bytes_on_device, before.bytes_on_device + 2 * SIZE as u64);
        for (tensor, host) in [(&copy, &one), (&another, &two), (&guests[0], &one), (&guests[1], &two)] {
            assert!(tensor.to_host().unwrap() == *host);
        }
        let part = guests[1].part(0, 3..5).unwrap();
        assert!(part.to_host().unwrap() == two.part(0, 3..5).unwrap(), "staged from where the part begins");
        assert_eq!(stage.gpu.stats().bytes_to_host, before.bytes_to_host + 4 * SIZE as u64 + 200);

        // Taken over by nobody who knows its device: the driver does.
        let unknown = Tensor::from_dlpack_of_device(other.to_dlpack().unwrap()).unwrap();
        let placed = stage.gpu.place(&stage.context, &unknown).unwrap();
        assert!(stage.gpu.fetch(&placed).unwrap() == two);
    });
}

#[test]
fn a_device_that_another_process_numbers_otherwise_is_the_same_device() {
    // Two machines are two processes here, which see the same devices in another order.
    let (there, here) = (own_mock_of(&[7, 8]), own_mock_of(&[8, 7]));
    let name = format!("device-numbers-{}", std::process::id());
    let context = FastIoContext::open(&name).unwrap();
    let memory = next(&there).create(&context, SIZE).unwrap();
    memory.map_mut().unwrap().upload(0, &pattern(1)).unwrap();
    memory.publish("made").unwrap();
    assert_eq!(here.get(&context, "made").unwrap().device().ordinal(), 0);

    let host = Tensor::from_vec(pattern(2), &[SIZE]).unwrap();
    let sent = next(&there).place(&context, &host).unwrap();
    assert_eq!(sent.device(), TensorDevice::cuda(1));
    let mut frame = Gather::new();
    Codec::serialize(&sent, &mut frame).unwrap();
    let (packed, segments) = frame.into_parts();
    let [there, here] = [&there, &here].map(|gpu| Kind(Arc::clone(gpu.machine())));
    let arrive = |segment| {
        let stand_in = there.stand_in(&context, segment).unwrap();
        here.open(stand_in, &segment.descriptor(), segment.length() as u64).unwrap()
    };
    let mut frame = Gather::from_parts(packed, segments.iter().map(arrive).collect());
    let received = Tensor::deserialize(&mut frame).unwrap();
    assert_eq!(received.device(), TensorDevice::cuda(0), "its number here");
    assert!(received.to_host().unwrap() == host);
    FastIoContext::remove(&name).unwrap();
}
