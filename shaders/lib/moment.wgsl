// A moment that fades to nothing. Without this the moments of a unit that is dead end as subnormal numbers and stay there,
// since 0.9 of the smallest one rounds to itself; processors take a hundred times as long for those.
fn faded(moment: vec4<f32>) -> vec4<f32> {
  return select(moment, vec4<f32>(), abs(moment) < vec4(1.17549435e-38f));  // the smallest normal number
}
