//! Device tensors in messages: by reference on this host, and staged where only bytes can go.

use podwire_codec_core::{
    Codec, Gather, MemoryKind, from_slice, message,
    tensor::{DType, Device as TensorDevice, Tensor},
    to_vec,
};
use podwire_fastio::ChannelOptions;

use super::{Both, SIZE, Stage, pattern, tell};

/// A tensor on the device, and the same on the host.
fn pair(stage: &Stage, seed: u8) -> (Tensor, Tensor) {
    let host = Tensor::from_vec(pattern(seed), &[SIZE / 100, 100]).unwrap();
    let device = stage.gpu.place(&stage.context, &host).unwrap();
    assert_eq!((device.device(), device.shape()), (TensorDevice::cuda(0), host.shape()));
    (device, host)
}

#[test]
fn tensors_of_host_and_device_travel_in_one_message_by_reference() {
    tell("both", |stage| {
        let mut echo = stage.actor("echo");
        echo.says("listening");
        let options = ChannelOptions::new().capacity(2);
        let mut sender = stage.context.sender("there", &options).unwrap();
        let mut receiver = stage.context.receiver("back", &options).unwrap();
        let (device, host) = pair(stage, 5);
        let part = device.part(0, 10..20).unwrap();
        let before = stage.gpu.stats();
        for sent in [&device, &part, &device] {
            sender.send_value::<Both>(&("both".into(), host.clone(), sent.clone())).unwrap();
            let (_, first, second) = receiver.receive().unwrap().value::<Both>().unwrap();
            assert_eq!((first == host, second.shape()), (true, sent.shape()));
            assert_eq!(second.segment().kind(), stage.gpu.machine().kind);
            assert_eq!(second.segment().device_address(), sent.segment().device_address(), "the same memory");
        }
        let now = stage.gpu.stats();
        assert_eq!((now.bytes_to_host, now.imported), (before.bytes_to_host, before.imported));
        assert!(stage.gpu.fetch(&part).unwrap() == host.part(0, 10..20).unwrap());
        drop(sender);
        echo.says("imported 1");
        echo.ends();
    });
}

#[test]
fn a_tensor_can_be_sent_again_when_its_first_message_is_gone() {
    tell("resent", |stage| {
        let (device, host) = pair(stage, 9);
        let (mut sender, mut receiver) = stage.context.channel("again", &ChannelOptions::new()).unwrap();
        for _ in 0..3 {
            sender.send_value::<Both>(&("again".into(), host.clone(), device.clone())).unwrap();
            let (_, _, received) = receiver.receive().unwrap().value::<Both>().unwrap();
            assert_eq!(received.segment().device_address(), device.segment().device_address());
            drop(received);
            receiver.settle().unwrap();
        }
    });
}

#[test]
fn a_published_value_keeps_its_device_memory_when_its_publisher_lets_go() {
    tell("value", |stage| {
        let (device, host) = pair(stage, 6);
        let address = device.segment().device_address();
        stage.context.publish_value::<Both>(&("v".into(), host.clone(), device), "value").unwrap();
        for _ in 0..5 {
            drop(stage.gpu.create(&stage.context, SIZE).unwrap()); // would take the memory if it were free
        }
        let (_, _, device) = stage.context.get_value::<Both>("value").unwrap();
        assert_eq!(device.segment().device_address(), address);
        assert!(stage.gpu.fetch(&device).unwrap() == host);
    });
}

#[test]
fn where_only_bytes_go_a_device_tensor_is_staged_and_counted() {
    tell("staged", |stage| {
        let (device, host) = pair(stage, 7);
        let column = device.part(1, 3..5).unwrap();
        let before = stage.gpu.stats().bytes_to_host;
        let bytes = to_vec(&device).unwrap();
        assert!(stage.gpu.stats().bytes_to_host >= before + SIZE as u64);
        let arrived: Tensor = from_slice(&bytes).unwrap();
        assert_eq!((arrived.device(), arrived.segment().kind()), (TensorDevice::cuda(0), MemoryKind::HOST));
        assert!(
            arrived.clone().with_device(TensorDevice::HOST) == host,
            "its path can be seen, and its bytes"
        );
        let packed: Tensor = from_slice(&to_vec(&column).unwrap()).unwrap();
        assert!(packed.to_vec::<u8>().unwrap() == host.part(1, 3..5).unwrap().to_vec::<u8>().unwrap());

        // As a transport to another host does it: each segment in memory that the host can read.
        let mut frame = Gather::new();
        message::write("t", 0, &message::Metadata::new(), &mut frame, |writer| writer.encode(&column))
            .unwrap();
        let (packed, segments) = frame.into_parts();
        let segments = segments.iter().map(|segment| segment.to_host().unwrap()).collect();
        let mut arrived = Gather::from_parts(packed, segments);
        let read = message::Message::read(&mut arrived, Default::default()).unwrap();
        let there: Tensor = read.value(&mut arrived, Default::default()).unwrap();
        assert!(there.to_vec::<u8>().unwrap() == host.part(1, 3..5).unwrap().to_vec::<u8>().unwrap());

        // And back to a device.
        let before = stage.gpu.stats().bytes_to_device;
        let back = stage.gpu.place(&stage.context, &there).unwrap();
        assert_eq!(back.strides(), there.strides());
        assert_eq!(stage.gpu.stats().bytes_to_device, before + there.segment().length() as u64);
        assert!(stage.gpu.fetch(&back).unwrap() == there.with_device(TensorDevice::HOST));
    });
}

#[test]
fn a_tensor_of_another_library_is_copied_on_the_device_once_it_is_shared() {
    tell("dlpack", |stage| {
        let (device, host) = pair(stage, 8);
        let part = device.part(0, 3..9).unwrap();
        let foreign = stage.gpu.from_dlpack(part.to_dlpack().unwrap(), None).unwrap();
        assert_eq!((foreign.device(), foreign.shape()), (TensorDevice::cuda(0), part.shape()));
        assert_eq!(foreign.segment().device_address(), part.segment().device_address(), "the same memory");
        assert!(foreign.as_slice::<u8>().is_err(), "the host does not see it");

        let before = stage.gpu.stats().bytes_on_device;
        let ours = stage.gpu.place(&stage.context, &foreign).unwrap();
        assert_eq!(stage.gpu.stats().bytes_on_device, before + 600);
        drop((foreign, part, device));
        assert!(stage.gpu.fetch(&ours).unwrap() == host.part(0, 3..9).unwrap());
        assert!(
            stage.gpu.place(&stage.context, &ours).unwrap().segment().device_address()
                == ours.segment().device_address(),
            "it is there already"
        );
    });
}

#[test]
fn an_array_that_was_filled_on_the_device_becomes_a_tensor_when_it_is_sealed() {
    tell("sealed", |stage| {
        let memory = stage.gpu.create(&stage.context, 4_000).unwrap();
        memory.map_mut().unwrap().fill(0).unwrap();
        assert!(stage.gpu.create(&stage.context, 4).unwrap().into_tensor(DType::F32, &[1]).is_err());
        memory.seal().unwrap();
        assert!(memory.map_mut().is_err());
        let tensor = memory.into_tensor(DType::F32, &[10, 100]).unwrap();
        let mut gather = Gather::new();
        Codec::serialize(&tensor, &mut gather).unwrap();
        assert_eq!(gather.segments()[0].kind(), stage.gpu.machine().kind);
        assert!(tensor.to_host().unwrap().as_slice::<f32>().unwrap() == [0.0; 1_000]);
    });
}
