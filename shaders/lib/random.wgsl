// Threefry2x32-20 (Salmon, Moraes, Dror & Shaw, "Parallel random numbers: as easy as 1, 2, 3", 2011): 64 random bits as
// a function of a key and a counter. Integer arithmetic alone, so it equals src/random.rs bit for bit.
fn threefry2x32(key: vec2<u32>, counter: vec2<u32>) -> vec2<u32> {
  var keys = array<u32, 3>(key.x, key.y, key.x ^ key.y ^ 0x1bd11bdau);
  var rotations = array<u32, 8>(13u, 15u, 26u, 6u, 17u, 29u, 16u, 24u);
  var x = counter + key;
  for (var round = 0u; round < 20u; round += 1u) {
    let rotation = rotations[round % 8u];
    x.x += x.y;
    x.y = ((x.y << rotation) | (x.y >> (32u - rotation))) ^ x.x;
    if (round % 4u == 3u) {
      let injection = round / 4u + 1u;
      x += vec2<u32>(keys[injection % 3u], keys[(injection + 1u) % 3u] + injection);
    }
  }
  return x;
}

// The key of one stream (a layer, say) at one step.
fn stream_key(seed_low: u32, seed_high: u32, stream: u32, step_number: u32) -> vec2<u32> {
  return threefry2x32(vec2<u32>(seed_low, seed_high), vec2<u32>(stream, step_number));
}

// Uniform in [0, 1): the upper 24 bits, all an f32 can hold.
fn uniform_(bits: u32) -> f32 { return f32(bits >> 8u) * 5.9604644775390625e-8f; }

// Whether element i outlives a dropout of this rate.
fn keeps(key: vec2<u32>, i: u32, rate: f32) -> bool { return uniform_(threefry2x32(key, vec2<u32>(i, 0u)).x) >= rate; }

fn keep4(key: vec2<u32>, i: vec4<u32>, rate: f32) -> vec4<bool> {
  return vec4<bool>(keeps(key, i.x, rate), keeps(key, i.y, rate), keeps(key, i.z, rate), keeps(key, i.w, rate));
}
