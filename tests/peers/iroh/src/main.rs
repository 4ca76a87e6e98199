//! Stock iroh-blobs over stdin and stdout, which are one stream of its protocol.
//!
//! ```text
//! iroh_peer serve FILE...       answers one request: the files, and the sequence that lists them
//! iroh_peer get HASH all|raw|FROM-TO   gets it, verified; prints `HASH BYTES` of each blob on stderr
//! iroh_peer many HASH...        asks for several; prints the answer in hex on stderr
//! iroh_peer observe HASH        prints `SIZE RANGES` of the first answer on stderr
//! iroh_peer take FOLDER         takes a push; each blob that is whole then becomes a file of the folder, under its hash
//! iroh_peer push all|raw FILE...  pushes the sequence of the files with them, or the first file; listens to no answer
//! ```

use std::{env, error::Error, io, os::fd::FromRawFd, str::FromStr};

use iroh::endpoint::VarInt;
use iroh_blobs::{
    api::blobs::AddBytesOptions,
    get::fsm::{AtConnected, ConnectedNext, EndBlobNext, RequestCounters},
    hashseq::HashSeq,
    protocol::{
        ChunkRanges, ChunkRangesExt, ChunkRangesSeq, GetManyRequest, GetRequest, ObserveItem,
        ObserveRequest, PushRequest, Request,
    },
    provider::{
        events::{EventMask, EventSender, RequestMode},
        handle_stream, StreamPair,
    },
    store::mem::MemStore,
    util::{
        AsyncReadRecvStream, AsyncReadRecvStreamExtra, AsyncWriteSendStream,
        AsyncWriteSendStreamExtra, RecvStream, SendStream,
    },
    Hash,
};
use tokio::{
    fs::File,
    io::{AsyncRead, AsyncWrite},
    time::Instant,
};

type Res<T> = Result<T, Box<dyn Error + Send + Sync>>;

struct Input(File);
struct Output(File);

impl AsyncReadRecvStreamExtra for Input {
    fn inner(&mut self) -> &mut (impl AsyncRead + Unpin + Send) {
        &mut self.0
    }
    fn stop(&mut self, code: VarInt) -> io::Result<()> {
        eprintln!("stop {code}");
        Ok(())
    }
    fn id(&self) -> u64 {
        0
    }
}

impl AsyncWriteSendStreamExtra for Output {
    fn inner(&mut self) -> &mut (impl AsyncWrite + Unpin + Send) {
        &mut self.0
    }
    fn reset(&mut self, code: VarInt) -> io::Result<()> {
        eprintln!("reset {code}");
        Ok(())
    }
    async fn stopped(&mut self) -> io::Result<Option<VarInt>> {
        std::future::pending().await
    }
    fn id(&self) -> u64 {
        0
    }
}

fn streams() -> (AsyncReadRecvStream<Input>, AsyncWriteSendStream<Output>) {
    // Files, so that dropping one closes it: that is how a stream ends.
    let file = |fd| File::from_std(unsafe { std::fs::File::from_raw_fd(fd) });
    (
        AsyncReadRecvStream::new(Input(file(0))),
        AsyncWriteSendStream::new(Output(file(1))),
    )
}

#[tokio::main]
async fn main() -> Res<()> {
    let args: Vec<String> = env::args().skip(1).collect();
    match args[0].as_str() {
        "serve" => serve(&args[1..]).await,
        "get" => get(Hash::from_str(&args[1])?, &args[2]).await,
        "many" => many(&args[1..]).await,
        "take" => take(&args[1]).await,
        "push" => push(args[1] == "all", &args[2..]).await,
        _ => observe(Hash::from_str(&args[1])?).await,
    }
}

/// The files in a store, the sequence that lists them, and their hashes.
async fn filled(files: &[String]) -> Res<(MemStore, Hash, Vec<Hash>)> {
    let store = MemStore::new();
    let mut links = Vec::new();
    for file in files {
        let bytes = tokio::fs::read(file).await?;
        links.push(Hash::new(&bytes));
        store.blobs().add_bytes(bytes).await?;
    }
    let sequence: HashSeq = links.iter().copied().collect();
    let options = AddBytesOptions {
        data: sequence.into_inner(),
        format: iroh_blobs::BlobFormat::HashSeq,
    };
    let root = Hash::new(&options.data);
    store.blobs().add_bytes_with_opts(options).await?;
    Ok((store, root, links))
}

async fn serve(files: &[String]) -> Res<()> {
    let (store, _, _) = filled(files).await?;
    let (input, output) = streams();
    handle_stream(
        StreamPair::new(0, input, output, EventSender::DEFAULT),
        (*store).clone(),
    )
    .await?;
    Ok(())
}

async fn take(folder: &str) -> Res<()> {
    let store = MemStore::new();
    let mask = EventMask {
        push: RequestMode::None,
        ..EventMask::DEFAULT
    };
    let (events, _messages) = EventSender::channel(16, mask);
    let (input, output) = streams();
    handle_stream(StreamPair::new(0, input, output, events), (*store).clone()).await?;
    for hash in store.blobs().list().hashes().await? {
        let Ok(bytes) = store.blobs().get_bytes(hash).await else {
            continue;
        };
        if Hash::new(&bytes) == hash {
            tokio::fs::write(format!("{folder}/{}", hash.to_hex()), bytes).await?;
        }
    }
    Ok(())
}

async fn push(all: bool, files: &[String]) -> Res<()> {
    let (store, root, links) = filled(files).await?;
    let (hash, ranges) = match all {
        true => (root, ChunkRangesSeq::all()),
        false => (links[0], ChunkRangesSeq::root()),
    };
    let (input, mut output) = streams();
    // As `execute_push_sink` does it, which takes no other connections than its own.
    drop(input);
    let request = postcard::to_stdvec(&PushRequest::new(hash, ranges))?;
    output.send(&[8]).await?;
    output
        .send(&postcard::to_stdvec(&(request.len() as u64))?)
        .await?;
    output.send(&request).await?;
    let rest = if all { links } else { Vec::new() };
    for hash in [hash].into_iter().chain(rest) {
        let encoding = store
            .blobs()
            .export_bao(hash, ChunkRanges::all())
            .bao_to_vec()
            .await?;
        output.send(&encoding).await?;
    }
    output.sync().await?;
    Ok(())
}

async fn get(hash: Hash, what: &str) -> Res<()> {
    let request = match what {
        "all" => GetRequest::all(hash),
        "raw" => GetRequest::blob(hash),
        ranges => {
            let (from, to) = ranges.split_once('-').ok_or("FROM-TO")?;
            GetRequest::blob_ranges(
                hash,
                ChunkRanges::chunks(from.parse::<u64>()?..to.parse::<u64>()?),
            )
        }
    };
    let (input, output) = streams();
    let connected = AtConnected::new(
        Instant::now(),
        input,
        output,
        request,
        RequestCounters::default(),
    );
    let ConnectedNext::StartRoot(root) = connected.next().await? else {
        return Err("no root".into());
    };
    let (mut end, bytes) = root.next().concatenate_into_vec().await?;
    eprintln!("{} {}", hash.to_hex(), bytes.len());
    let links: Vec<Hash> = match what {
        "all" => HashSeq::try_from(bytes::Bytes::from(bytes))?
            .into_iter()
            .collect(),
        _ => Vec::new(),
    };
    loop {
        match end.next() {
            EndBlobNext::MoreChildren(child) => {
                let Some(link) = links.get(child.offset() as usize - 1).copied() else {
                    child.finish().next().await?;
                    return Ok(());
                };
                let (next, bytes) = child.next(link).concatenate_into_vec().await?;
                eprintln!("{} {}", link.to_hex(), bytes.len());
                end = next;
            }
            EndBlobNext::Closing(closing) => {
                closing.next().await?;
                return Ok(());
            }
        }
    }
}

async fn many(hashes: &[String]) -> Res<()> {
    let hashes = hashes
        .iter()
        .map(|hash| Hash::from_str(hash))
        .collect::<Result<Vec<_>, _>>()?;
    let mut input = ask(Request::GetMany(GetManyRequest::new(
        hashes,
        ChunkRangesSeq::all(),
    )))
    .await?;
    loop {
        let bytes = input.recv_bytes(65536).await?;
        if bytes.is_empty() {
            return Ok(());
        }
        eprint!(
            "{}",
            bytes
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect::<String>()
        );
    }
}

async fn observe(hash: Hash) -> Res<()> {
    let mut input = ask(Request::Observe(ObserveRequest::new(hash))).await?;
    let mut length = [0];
    input.recv_exact(&mut length).await?;
    let bytes = input.recv_bytes_exact(length[0] as usize).await?;
    let item: ObserveItem = postcard::from_bytes(&bytes)?;
    eprintln!("{} {:?}", item.size, item.ranges);
    Ok(())
}

async fn ask(request: Request) -> Res<AsyncReadRecvStream<Input>> {
    let (input, mut output) = streams();
    output.send(&postcard::to_stdvec(&request)?).await?;
    output.sync().await?;
    Ok(input)
}
