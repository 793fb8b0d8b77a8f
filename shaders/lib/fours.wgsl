// A workgroup of 256 works on 1024 elements, four an invocation, 256 apart so that neighbours read neighbours. A kernel
// reads its four before it writes the first: in a loop the second would wait for the first to arrive.
fn four_of(group: vec3<u32>, groups: vec3<u32>, lane: u32) -> vec4<u32> {
  return (group.y * groups.x + group.x) * 1024u + lane + vec4(0u, 256u, 512u, 768u);
}
