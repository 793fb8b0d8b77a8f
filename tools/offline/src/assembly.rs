//! What is read from a driver's assembly: the innermost loop with the most multiply-adds.

/// Whose text it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Language {
    Nvidia,
    Amd,
    Apple,
    Adreno,
    Dxil,
}

/// A line that counts.
enum Line {
    Label(String),
    Code { fma: bool, array: bool, jump: Option<Jump> },
}

/// Where a line may go on besides the next one; `always`: it never goes on there.
struct Jump {
    target: String,
    always: bool,
}

/// A jump to `target`, by an instruction that may be known to stand under no condition.
fn jump(target: &str, always: bool) -> Jump {
    Jump { target: target.to_owned(), always }
}

/// The innermost loop with the most multiply-adds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Loop {
    pub instructions: usize,
    pub fma: usize,
    /// Accesses to arrays in memory of the invocation by a variable, where the text shows them (DXIL).
    pub arrays: usize,
}

impl Loop {
    pub fn percent(self) -> usize {
        (200 * self.fma + self.instructions) / (2 * self.instructions.max(1))
    }
}

/// `None` where no loop has a multiply-add.
pub fn inner_loop(language: Language, text: &str) -> Option<Loop> {
    let lines: Vec<Line> = match language {
        Language::Nvidia => section(text, "=== NAK assembly").filter_map(nvidia).collect(),
        Language::Amd => section(text, "=== Assembly").filter_map(amd).collect(),
        Language::Adreno => section(text, "=== IR3 Assembly").flat_map(adreno).collect(),
        Language::Apple => text.lines().flat_map(apple).collect(),
        Language::Dxil => text.lines().filter_map(dxil).collect(),
    };
    let place = |name: &str| lines.iter().position(|line| matches!(line, Line::Label(it) if it == name));
    let target = |line: &Line| match line {
        Line::Code { jump: Some(jump), .. } => place(&jump.target),
        _ => None,
    };
    let targets: Vec<Option<usize>> = lines.iter().map(target).collect();
    let mut loops: Vec<(usize, usize)> = Vec::new();
    for (end, target) in targets.iter().enumerate() {
        if let Some(begin) = target.filter(|begin| *begin <= end) {
            // Several jumps back to one label are one loop.
            loops.retain(|(other, _)| *other != begin);
            loops.push((begin, end));
        }
    }
    let ends = |line: &Line| matches!(line, Line::Code { jump: Some(Jump { always: true, .. }), .. });
    let count = |(begin, end): (usize, usize)| {
        // Which lines lead back to the first: code of the way out may stand between them.
        let mut back = vec![false; end + 2];
        let mut before = 0;
        loop {
            for at in (begin..=end).rev() {
                let jumps = targets[at].is_some_and(|target| target == begin || target <= end && back[target]);
                back[at] = jumps || back[at + 1] && !ends(&lines[at]);
            }
            let now = back.iter().filter(|back| **back).count();
            if std::mem::replace(&mut before, now) == now {
                break;
            }
        }
        let mut found = Loop::default();
        for (line, _) in lines[begin..=end].iter().zip(&back[begin..]).filter(|(_, back)| **back) {
            if let Line::Code { fma, array, .. } = line {
                found.instructions += 1;
                found.fma += usize::from(*fma);
                found.arrays += usize::from(*array);
            }
        }
        found
    };
    let counted: Vec<((usize, usize), Loop)> =
        loops.into_iter().map(|it| (it, count(it))).filter(|(_, of)| of.fma > 0).collect();
    let holds =
        |outer: (usize, usize), inner: (usize, usize)| outer != inner && outer.0 <= inner.0 && inner.1 <= outer.1;
    let innermost = counted.iter().filter(|(it, _)| !counted.iter().any(|(other, _)| holds(*it, *other)));
    innermost.map(|(_, of)| *of).max_by_key(|of| of.fma)
}

/// The lines behind `title` up to the next title.
fn section<'a>(text: &'a str, title: &str) -> impl Iterator<Item = &'a str> {
    let behind = text.lines().skip_while(move |line| !line.starts_with(title)).skip(1);
    behind.take_while(|line| !line.starts_with("==="))
}

fn label(name: &str) -> Line {
    Line::Label(name.to_owned())
}

fn code(fma: bool, jump: Option<Jump>) -> Line {
    Line::Code { fma, array: false, jump }
}

/// `block.u 5 L12 [4] -> {`, and instructions with their delays behind `//`.
fn nvidia(line: &str) -> Option<Line> {
    if line.starts_with("block") {
        return line.split_whitespace().nth(2).map(label);
    }
    let text = line.split_once("//")?.0;
    let jumps = text.split_whitespace().any(|word| word == "bra");
    let target = text.split_whitespace().last().filter(|_| jumps);
    let jump = target.map(|target| jump(target, text.trim_start().starts_with("bra pT")));
    let fma = ["ffma", "hfma2", "hmma"].iter().any(|name| text.contains(name));
    Some(code(fma, jump))
}

/// `BB5:`, and instructions behind a tab. Hints for the scheduler (`s_delay_alu`) are no instructions.
fn amd(line: &str) -> Option<Line> {
    if let Some(name) = line.strip_suffix(':').filter(|name| name.starts_with("BB")) {
        return Some(label(name));
    }
    let text = line.strip_prefix('\t')?;
    let mut words = text.split_whitespace();
    let name = words.next().filter(|name| *name != "s_delay_alu")?;
    let jumps = name.starts_with("s_cbranch") || name == "s_branch";
    let jump = words.next().filter(|_| jumps).map(|target| jump(target, name == "s_branch"));
    let kinds = ["v_fma", "v_pk_fma", "v_dual_fma", "v_mad_f32", "v_mac_f32", "v_wmma"];
    Some(code(kinds.iter().any(|kind| text.contains(kind)), jump))
}

/// `46bc: 00c09ec6ffff  jmp_any -14690`: every address is a label, a jump says how far.
fn apple(line: &str) -> Vec<Line> {
    let parsed = || {
        let (address, rest) = line.split_once(": ")?;
        let address = i64::from_str_radix(address.trim(), 16).ok()?;
        let mut words = rest.split_whitespace();
        words.next().filter(|code| code.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
        let name = words.next()?;
        let far = words.next().filter(|_| name.starts_with("jmp")).and_then(|far| far.parse::<i64>().ok());
        let jump = far.map(|far| jump(&(address + far).to_string(), false));
        Some(vec![label(&address.to_string()), code(name == "ffma" || name == "hfma", jump)])
    };
    parsed().unwrap_or_default()
}

/// `l12:`, and instructions behind marks such as `(rpt1)`, which stands for two. Waits (`nop`) are no instructions.
fn adreno(line: &str) -> Vec<Line> {
    if let Some(name) = line.strip_suffix(':').filter(|name| name.starts_with('l')) {
        return vec![label(name)];
    }
    let first = line.split_whitespace().next().unwrap_or_default();
    let (marks, name) = first.rsplit_once(')').unwrap_or(("", first));
    if !name.starts_with(|letter: char| letter.is_ascii_lowercase()) || name == "nop" {
        return Vec::new();
    }
    let repeated = marks.split_once("(rpt").and_then(|(_, count)| count.parse().ok()).unwrap_or(0usize);
    let target = line.split_once('#').map(|(_, target)| target.trim()).filter(|target| target.starts_with('l'));
    let jump = || target.map(|target| jump(target, name == "jump"));
    (0..=repeated).map(|_| code(name.starts_with("mad.f"), jump())).collect()
}

/// `; <label>:12`, and LLVM's instructions behind two spaces. Arrays of a workgroup lie in address space 3.
fn dxil(line: &str) -> Option<Line> {
    if let Some(name) = line.strip_prefix("; <label>:") {
        return name.split_whitespace().next().map(label);
    }
    let text = line.strip_prefix("  ").filter(|text| !text.starts_with([' ', ';']))?;
    let target = text.starts_with("br ").then(|| text.rsplit_once("label %")).flatten();
    let jump = target.and_then(|(_, label)| label.split([' ', ',']).next()).map(|target| jump(target, false));
    // Constant indices are folded; what is left indexes by a variable.
    let array = text.contains("getelementptr") && !text.contains("addrspace(3)");
    Some(Line::Code { fma: text.contains("@dx.op.tertiary.f32(i32 46,"), array, jump })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A loop of two multiply-adds in one without, as each compiler writes it.
    fn seen(language: Language, text: &str) -> Option<(usize, usize, usize)> {
        inner_loop(language, text).map(|it| (it.instructions, it.fma, it.arrays))
    }

    #[test]
    fn the_inner_loop_of_every_language_is_found() {
        let nvidia = "=== NAK assembly\nblock 0 L0 [] -> {\n r1 = mov r2 // delay=1\n} -> [1]\nblock 1 L1 [0, 1] -> {\n \
                      r0 = ffma r1 r2 r0 // delay=1\n r0 = ffma r1 r2 r0 // delay=1\n@p0 bra pT L1 // delay=1\n}\n \
                      bra pT L0 // delay=1\n";
        assert_eq!(seen(Language::Nvidia, nvidia), Some((3, 2, 0)));
        let amd = "=== Assembly\nBB0:\n\ts_nop 0\nBB1:\n\tv_fmac_f32_e32 v0, v1, v2 ; 00\n\ts_delay_alu x ; 00\n\
                   \tv_fma_f32 v0, v1, v2 ; 00\n\ts_cbranch_scc0 BB1 ; 00\n\ts_branch BB0 ; 00\n";
        assert_eq!(seen(Language::Amd, amd), Some((3, 2, 0)));
        let apple = "   0: 0e150080  iadd r5, 0\n  10: 0e150080e8000000  ffma r0, r1\n  18: 0e150080 ffma r0, r1\n  \
                     20: 00c0f0ff  jmp_any -16\n  28: 00c0d8ff jmp_any -40\n";
        assert_eq!(seen(Language::Apple, apple), Some((3, 2, 0)));
        let adreno = "=== IR3 Assembly\n; a note\nl3:\nmov.u32u32 r0.x, r1.x\nl5:\n(sy)(rpt1)mad.f32 r0.x, (r)r1.x\n\
                      (rpt2)nop\nbr !p0.x, #l5\njump #l3\n";
        assert_eq!(seen(Language::Adreno, adreno), Some((3, 2, 0)));
        let dxil = "; <label>:4 ; preds = %0\n  %5 = add i32 %1, %2\n; <label>:6\n  \
                    %7 = call float @dx.op.tertiary.f32(i32 46, float %1)\n  \
                    %8 = getelementptr [4 x float], [4 x float]* %9, i32 0, i32 %7\n  \
                    %9 = getelementptr [4 x float], [4 x float] addrspace(3)* @tile, i32 0, i32 %7\n  \
                    %10 = call float @dx.op.tertiary.f32(i32 46, float %1)\n  br i1 %3, label %11, label %6\n  br label %4\n";
        assert_eq!(seen(Language::Dxil, dxil), Some((5, 2, 1)));
    }

    #[test]
    fn the_way_out_of_a_loop_is_not_counted() {
        let nvidia = "=== NAK assembly\nblock 0 L0 [] -> {\n r1 = mov r2 // delay=1\n}\nblock 1 L1 [0, 3] -> {\n \
                      r0 = ffma r1 r2 r0 // delay=1\n bra !up0 L3 // delay=1\n}\nblock 2 L2 [1] -> {\n \
                      bar.sync // delay=1\n bra pT L0 // delay=1\n}\nblock 3 L3 [1] -> {\n bra pT L1 // delay=1\n}\n";
        assert_eq!(seen(Language::Nvidia, nvidia), Some((3, 1, 0)));
    }

    #[test]
    fn without_a_multiply_add_there_is_none() {
        assert_eq!(seen(Language::Amd, "=== Assembly\nBB0:\n\ts_nop 0\n\ts_branch BB0\n"), None);
    }
}
