//! Nym's packets as a program to be measured: reads `{"task":"unwrap"|"make","seconds":S}` a line, answers with a rate.

use sphinx_packet::header::delays;
use sphinx_packet::route::{Destination, DestinationAddressBytes, Node, NodeAddressBytes};
use sphinx_packet::{SphinxPacket, SphinxPacketBuilder};
use std::hint::black_box;
use std::io::BufRead;
use std::time::{Duration, Instant};
use x25519_dalek::{PublicKey, StaticSecret};

/// As many bytes as delta has in ours.
const PAYLOAD: usize = 2724;
const HOPS: u8 = 5;

fn main() {
    let secrets: Vec<StaticSecret> = (0..HOPS).map(|_| StaticSecret::random()).collect();
    let route: Vec<Node> = secrets
        .iter()
        .enumerate()
        .map(|(i, secret)| Node::new(NodeAddressBytes::from_bytes([i as u8; 32]), PublicKey::from(secret)))
        .collect();
    let delays = delays::generate_from_average_duration(route.len(), Duration::from_millis(10));
    let destination = Destination::new(DestinationAddressBytes::from_bytes([3; 32]), [4; 16]);
    let message = vec![7u8; 2600];
    let make = || {
        SphinxPacketBuilder::new()
            .with_payload_size(PAYLOAD)
            .build_packet(&message, &route, &destination, &delays)
            .expect("a packet")
    };
    let bytes = make().to_bytes();
    for line in std::io::stdin().lock().lines() {
        let ask: serde_json::Value = serde_json::from_str(&line.expect("a line")).expect("JSON");
        let seconds = ask["seconds"].as_f64().expect("seconds");
        let value = match ask["task"].as_str() {
            Some("make") => rate(seconds, || {
                black_box(make());
            }),
            _ => rate(seconds, || {
                let packet = SphinxPacket::from_bytes(&bytes).expect("a packet");
                black_box(packet.process(&secrets[0]).expect("a layer"));
            }),
        };
        println!("{}", serde_json::json!({ "value": value }));
    }
}

fn rate(seconds: f64, work: impl Fn()) -> f64 {
    let begun = Instant::now();
    let mut done = 0u64;
    while begun.elapsed().as_secs_f64() < seconds {
        for _ in 0..10 {
            work();
        }
        done += 10;
    }
    done as f64 / begun.elapsed().as_secs_f64()
}
