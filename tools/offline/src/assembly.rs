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
enum Line<'a> {
    Label(&'a str),
    Code { fma: bool, array: bool, jump: Option<&'a str> },
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
    let label = |name: &str| lines.iter().position(|line| matches!(line, Line::Label(it) if *it == name));
    let mut loops: Vec<(usize, usize)> = Vec::new();
    for (end, line) in lines.iter().enumerate() {
        if let Line::Code { jump: Some(target), .. } = line
            && let Some(begin) = label(target).filter(|begin| *begin <= end)
        {
            // Several jumps back to one label are one loop.
            loops.retain(|(other, _)| *other != begin);
            loops.push((begin, end));
        }
    }
    let count = |(begin, end): (usize, usize)| {
        let mut found = Loop::default();
        for line in &lines[begin..=end] {
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
    let holds = |outer: (usize, usize), inner: (usize, usize)| outer != inner && outer.0 <= inner.0 && inner.1 <= outer.1;
    let innermost = counted.iter().filter(|(it, _)| !counted.iter().any(|(other, _)| holds(*it, *other)));
    innermost.map(|(_, of)| *of).max_by_key(|of| of.fma)
}

/// The lines behind `title` up to the next title.
fn section<'a>(text: &'a str, title: &str) -> impl Iterator<Item = &'a str> {
    let behind = text.lines().skip_while(move |line| !line.starts_with(title)).skip(1);
    behind.take_while(|line| !line.starts_with("==="))
}

fn code(fma: bool, jump: Option<&str>) -> Line<'_> {
    Line::Code { fma, array: false, jump }
}

/// `block.u 5 L12 [4] -> {`, and instructions with their delays behind `//`.
fn nvidia(line: &str) -> Option<Line<'_>> {
    if line.starts_with("block") {
        return line.split_whitespace().nth(2).map(Line::Label);
    }
    let text = line.split_once("//")?.0;
    let mut words = text.split_whitespace();
    let jump = words.any(|word| word == "bra").then(|| text.split_whitespace().last()).flatten();
    let fma = ["ffma", "hfma2", "hmma"].iter().any(|name| text.contains(name));
    Some(code(fma, jump))
}

/// `BB5:`, and instructions behind a tab. Hints for the scheduler (`s_delay_alu`) are no instructions.
fn amd(line: &str) -> Option<Line<'_>> {
    if let Some(label) = line.strip_suffix(':').filter(|label| label.starts_with("BB")) {
        return Some(Line::Label(label));
    }
    let text = line.strip_prefix('\t')?;
    let mut words = text.split_whitespace();
    let name = words.next().filter(|name| *name != "s_delay_alu")?;
    let jump = (name.starts_with("s_cbranch") || name == "s_branch").then(|| words.next()).flatten();
    let kinds = ["v_fma", "v_pk_fma", "v_dual_fma", "v_mad_f32", "v_mac_f32", "v_wmma"];
    Some(code(kinds.iter().any(|kind| text.contains(kind)), jump))
}

/// `46bc: 00c09ec6ffff  jmp_any -14690`: every address is a label, a jump says how far.
fn apple(line: &str) -> impl Iterator<Item = Line<'_>> {
    let parsed = || {
        let (address, rest) = line.split_once(": ")?;
        let address = address.trim();
        usize::from_str_radix(address, 16).ok()?;
        let mut words = rest.split_whitespace();
        let (_, name) = (words.next().filter(|hex| usize::from_str_radix(&hex[..hex.len().min(8)], 16).is_ok())?, words.next()?);
        Some((address, name, words.next()))
    };
    let found = parsed().map(|(address, name, far)| {
        let fma = name == "ffma" || name == "hfma";
        let jump = far.filter(|_| name.starts_with("jmp"));
        [Line::Label(address), code(fma, jump)]
    });
    found.into_iter().flatten()
}

/// `l12:`, and instructions behind marks such as `(rpt1)`, which stands for two. Waits (`nop`) are no instructions.
fn adreno(line: &str) -> Vec<Line<'_>> {
    if let Some(label) = line.strip_suffix(':').filter(|label| label.starts_with('l')) {
        return vec![Line::Label(label)];
    }
    let first = line.split_whitespace().next().unwrap_or_default();
    let (marks, name) = first.rsplit_once(')').unwrap_or(("", first));
    if !name.starts_with(|letter: char| letter.is_ascii_lowercase()) || name == "nop" {
        return Vec::new();
    }
    let repeated = marks.split_once("(rpt").and_then(|(_, count)| count.parse().ok()).unwrap_or(0usize);
    let jump = line.split_once('#').map(|(_, target)| target.trim()).filter(|target| target.starts_with('l'));
    (0..=repeated).map(|_| code(name.starts_with("mad.f"), jump)).collect()
}

/// `; <label>:12`, and LLVM's instructions behind two spaces. Arrays of a workgroup lie in address space 3.
fn dxil(line: &str) -> Option<Line<'_>> {
    if let Some(label) = line.strip_prefix("; <label>:") {
        return label.split_whitespace().next().map(Line::Label);
    }
    let text = line.strip_prefix("  ").filter(|text| !text.starts_with([' ', ';']))?;
    let jump = text.starts_with("br ").then(|| text.rsplit_once("label %")).flatten();
    let jump = jump.and_then(|(_, label)| label.split([' ', ',']).next());
    // Constant indices are folded; what is left indexes by a variable.
    let array = text.contains("getelementptr") && !text.contains("addrspace(3)");
    Some(Line::Code { fma: text.contains("@dx.op.tertiary.f32(i32 46,"), array, jump })
}
