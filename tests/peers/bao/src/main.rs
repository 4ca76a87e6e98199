//! Writes `tests/vectors/bao.json`: hashes, outboards and encodings of bao-tree, with groups of 16 chunks.
//!
//! `cargo run > ../../vectors/bao.json`. Byte i of an input is i mod 251; outboards and encodings are given by length and
//! BLAKE3 hash. An encoding begins with the size, as on the wire of iroh-blobs.

use bao_tree::io::outboard::PreOrderMemOutboard;
use bao_tree::io::sync::encode_ranges_validated;
use bao_tree::{BlockSize, ChunkNum, ChunkRanges};

const SIZES: [u64; 14] = [
    0, 1, 1024, 1025, 2049, 16383, 16384, 16385, 17000, 32768, 40000, 65537, 100000, 300000,
];

fn ranges() -> Vec<Vec<u64>> {
    vec![
        vec![0],
        vec![0, 1],
        vec![3, 7, 17, 18],
        vec![1, 3, 9, 13],
        vec![0, 16],
        vec![5, 40],
        vec![16, 32, 48, 64],
        vec![15, 17, 31, 33, 90],
        vec![u64::MAX],
    ]
}

/// What iroh-blobs makes of a request: a range at or past the last chunk includes the last chunk.
fn with_proof(ranges: &ChunkRanges, size: u64) -> ChunkRanges {
    let chunks = std::cmp::max(1, size.div_ceil(1024));
    let last = ChunkNum(chunks - 1);
    let past = ranges.clone() & ChunkRanges::from(last..);
    let mut inside = ranges.clone() & ChunkRanges::from(..ChunkNum(chunks));
    if !past.is_empty() {
        inside |= ChunkRanges::from(last..ChunkNum(chunks));
    }
    inside
}

fn main() {
    println!("{{");
    println!("  \"source\": \"bao-tree 0.16.0 with blake3 1, by tests/peers/bao\",");
    println!("  \"note\": \"Byte i of the input is i mod 251; groups of 16 chunks; an encoding begins with the size, u64 little-endian. Lengths in bytes, hashes BLAKE3.\",");
    println!("  \"vectors\": [");
    let mut first = true;
    for size in SIZES {
        let data: Vec<u8> = (0..size).map(|i| (i % 251) as u8).collect();
        let outboard = PreOrderMemOutboard::create(&data, BlockSize::from_chunk_log(4));
        let encodings: Vec<String> = ranges()
            .iter()
            .map(|boundaries| {
                let mut set = ChunkRanges::empty();
                for pair in boundaries.chunks(2) {
                    set |= match pair {
                        [from, to] => ChunkRanges::from(ChunkNum(*from)..ChunkNum(*to)),
                        [from] => ChunkRanges::from(ChunkNum(*from)..),
                        _ => unreachable!(),
                    };
                }
                let mut encoded = size.to_le_bytes().to_vec();
                encode_ranges_validated(&data[..], &outboard, &with_proof(&set, size), &mut encoded).unwrap();
                let texts: Vec<String> = boundaries.iter().map(|b| format!("\"{b}\"")).collect();
                format!(
                    "        {{ \"ranges\": [{}], \"length\": {}, \"hash\": \"{}\" }}",
                    texts.join(", "),
                    encoded.len(),
                    blake3::hash(&encoded).to_hex()
                )
            })
            .collect();
        if !first {
            println!(",");
        }
        first = false;
        println!("    {{");
        println!("      \"size\": {size},");
        println!("      \"root\": \"{}\",", outboard.root.to_hex());
        println!(
            "      \"outboard\": {{ \"length\": {}, \"hash\": \"{}\" }},",
            outboard.data.len(),
            blake3::hash(&outboard.data).to_hex()
        );
        println!("      \"encodings\": [\n{}\n      ]", encodings.join(",\n"));
        print!("    }}");
    }
    println!("\n  ]\n}}");
}
