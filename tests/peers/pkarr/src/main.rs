//! The crate `pkarr`: reads a relay payload, and signs its records again.
//!
//! ```text
//! pkarr_peer SEED PAYLOAD   in hex; prints `timestamp N`, `record NAME TTL TYPE` of each, and `made PAYLOAD`
//! ```

use std::{env, error::Error};

use pkarr::{Keypair, SignedPacket};

fn bytes(hex: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    (0..hex.len())
        .step_by(2)
        .map(|at| Ok(u8::from_str_radix(&hex[at..at + 2], 16)?))
        .collect()
}

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = env::args().collect();
    let seed: [u8; 32] = bytes(&args[1])?.as_slice().try_into()?;
    let pair = Keypair::from_secret_key(&seed);
    let packet = SignedPacket::from_relay_payload(&pair.public_key(), &bytes(&args[2])?.into())?;
    println!("timestamp {}", packet.timestamp().as_u64());
    let mut builder = SignedPacket::builder().timestamp(packet.timestamp());
    for record in packet.all_resource_records() {
        println!("record {} {} {:?}", record.name, record.ttl, record.rdata.type_code());
        builder = builder.record(record.clone());
    }
    let made = builder.sign(&pair)?.to_relay_payload();
    println!("made {}", made.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
    Ok(())
}
