// dtable[k, w] = the sum of dy[r, to_column + c width + w] over the rows r and columns c with x[r, from_column + c] = k, as
// embedding_grad, for tables so large that its every element cannot look through the batch.
// A workgroup owns OWN elements of the table and looks through the pairs (r, c) once, a tile at a time: each invocation marks
// its pair if that picks from them, then all go through the marked pairs in order. An element belongs to one invocation, so
// there are no atomics of floats, and its order is that of the pairs.
struct Params {
  rows: u32, columns: u32, categories: u32, width: u32, from_width: u32, from_column: u32, to_width: u32, to_column: u32
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;             // (rows, from_width)
@group(0) @binding(2) var<storage, read> dy: array<f32>;            // (rows, to_width)
@group(0) @binding(3) var<storage, read_write> dtable: array<f32>;  // (categories, width)

const OWN = 2048u;
const TILE = 256u;
const WORDS = 8u;  // of 32 pairs, which are summed in one chain (src/kernels/sums.rs)

var<workgroup> marked: array<atomic<u32>, WORDS>;
var<workgroup> picked: array<u32, TILE>;
var<workgroup> block: array<f32, OWN>;

fn add(at: u32, end: u32, source: u32) {
  if (at < end) { block[at] += dy[source + at]; }
}

// Adds the pair `other` of a tile to the own elements at, at + TILE, ... among those from `first` to `end`. Written out, as
// all that is done for each pair: llvmpipe ends a kernel's loops after 65,535 turns, those of all loops together.
fn add_pair(tile: u32, other: u32, lane: u32, first: u32, end: u32) {
  let row = (tile + other) / params.columns;
  let begin = picked[other];
  let start = max(begin, first) - first;
  let stop = min(begin + params.width, end) - first;
  let at = start + (lane + TILE - start % TILE) % TILE;
  // Modulo 2^32, of which the sum with `at` is the place.
  let source = row * params.to_width + params.to_column + (tile + other) % params.columns * params.width + first - begin;
  add(at, stop, source);
  add(at + TILE, stop, source);
  add(at + 2u * TILE, stop, source);
  add(at + 3u * TILE, stop, source);
  add(at + 4u * TILE, stop, source);
  add(at + 5u * TILE, stop, source);
  add(at + 6u * TILE, stop, source);
  add(at + 7u * TILE, stop, source);
}

fn flush(at: u32, first: u32, end: u32) {
  if (first + at < end) {
    dtable[first + at] += block[at];
    block[at] = 0.0;
  }
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let first = (group.y * groups.x + group.x) * OWN;
  let end = min(first + OWN, params.categories * params.width);  // before first in a workgroup past the table
  for (var own = lane; own < OWN; own += TILE) {
    block[own] = 0.0;
    if (first + own < end) { dtable[first + own] = 0.0; }
  }
  let pairs = params.rows * params.columns;
  for (var tile = 0u; tile < pairs; tile += TILE) {
    if (lane < WORDS) { atomicStore(&marked[lane], 0u); }
    workgroupBarrier();
    let pair = tile + lane;
    if (pair < pairs) {
      let index = u32(x[pair / params.columns * params.from_width + params.from_column + pair % params.columns]);
      let begin = min(index, params.categories - 1u) * params.width;
      picked[lane] = begin;
      if (begin < end && begin + params.width > first) { atomicOr(&marked[lane / 32u], 1u << (lane % 32u)); }
    }
    workgroupBarrier();
    for (var word = 0u; word < WORDS; word += 1u) {
      var bits = atomicLoad(&marked[word]);
      let any = bits != 0u;
      for (var left = (countOneBits(bits) + 3u) / 4u; left > 0u; left -= 1u) {
        add_pair(tile, word * 32u + firstTrailingBit(bits), lane, first, end);
        bits &= bits - 1u;
        if (bits != 0u) { add_pair(tile, word * 32u + firstTrailingBit(bits), lane, first, end); }
        bits &= bits - 1u;
        if (bits != 0u) { add_pair(tile, word * 32u + firstTrailingBit(bits), lane, first, end); }
        bits &= bits - 1u;
        if (bits != 0u) { add_pair(tile, word * 32u + firstTrailingBit(bits), lane, first, end); }
        bits &= bits - 1u;
      }
      if (any) {
        flush(lane, first, end);
        flush(lane + TILE, first, end);
        flush(lane + 2u * TILE, first, end);
        flush(lane + 3u * TILE, first, end);
        flush(lane + 4u * TILE, first, end);
        flush(lane + 5u * TILE, first, end);
        flush(lane + 6u * TILE, first, end);
        flush(lane + 7u * TILE, first, end);
      }
    }
    workgroupBarrier();
  }
}
