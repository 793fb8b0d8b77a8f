// What changes from one training step to the next; a dynamic offset picks the entry of this step.
struct Step {
  learning_rate: f32,
  step: u32,            // 1, 2, ...
  start: u32,           // where the batch begins in the row order
  valid: u32,           // rows of the batch that are real
  inverse_weight: f32,  // 1 / (sum of the weights of the batch)
  log_row: u32,
  seed_low: u32,
  seed_high: u32,
  correction1: f32,     // 1 - beta1^step
  correction2: f32,     // 1 - beta2^step
  share: f32,           // what counts of the newer of two values that are blended
  gradient_share: f32,  // of the gradient in a step of Nadam
  moment_share: f32,    // of its mean
}
@group(1) @binding(0) var<uniform> step: Step;
