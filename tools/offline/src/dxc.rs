//! HLSL through Microsoft's compiler as wgpu calls it. Its interfaces are COM's: tables of functions, called by number.

use std::ffi::{CString, c_void};
use std::path::Path;

type Table = *const *const c_void;
type Object = *mut Table;

#[repr(C)]
struct Id(u32, u16, u16, [u8; 8]);

const COMPILER: Id = Id(0x73e2_2d93, 0xe6ce, 0x47f3, [0xb5, 0xbf, 0xf0, 0x66, 0x4f, 0x39, 0xc1, 0xb0]);
const COMPILER3: Id = Id(0x228b_4687, 0x5a6a, 0x4730, [0x90, 0x0c, 0x97, 0x02, 0xb2, 0x20, 0x3f, 0x54]);
const RESULT: Id = Id(0x5834_6cda, 0xdde7, 0x4497, [0x94, 0x61, 0x6f, 0x87, 0xaf, 0x5e, 0x06, 0x59]);
const BLOB: Id = Id(0x8ba5_fb08, 0x5195, 0x40e2, [0xac, 0x58, 0x0d, 0x98, 0x9c, 0x3a, 0x01, 0x02]);

/// Functions by number. Those of COM's first interface, then, on Linux, the two destructors that this version has.
const FIRST: usize = 5;
const COMPILE: usize = FIRST;
const DISASSEMBLE: usize = FIRST + 1;
const STATUS: usize = FIRST;
const OUTPUT: usize = FIRST + 4;
const POINTER: usize = FIRST;
const SIZE: usize = FIRST + 1;
const OBJECT: u32 = 1;
const ERRORS: u32 = 2;
const DISASSEMBLY: u32 = 5;
const UTF8: u32 = 65001;

#[repr(C)]
struct Buffer {
    pointer: *const c_void,
    size: usize,
    encoding: u32,
}

/// Compiles the files listed on standard input: profile, entry point, file, and the file for the disassembly, tabs
/// between.
pub fn run(library: &Path) -> Result<(), String> {
    // SAFETY: the library's initialisers have no preconditions.
    let library = unsafe { libloading::Library::new(library) }.map_err(|error| error.to_string())?;
    // SAFETY: the signature is that of dxcapi.h.
    let create = unsafe {
        library.get::<unsafe extern "C" fn(*const Id, *const Id, *mut Object) -> i32>(b"DxcCreateInstance\0")
    };
    let create = create.map_err(|error| error.to_string())?;
    let mut compiler: Object = std::ptr::null_mut();
    // SAFETY: as declared.
    if unsafe { create(&COMPILER, &COMPILER3, &mut compiler) } != 0 {
        return Err("DXC makes no compiler".to_owned());
    }
    for line in std::io::stdin().lines() {
        let line = line.map_err(|error| error.to_string())?;
        let [profile, entry, from, to] = line.split('\t').collect::<Vec<_>>()[..] else {
            return Err("a line without four fields".to_owned());
        };
        let source = std::fs::read(from).map_err(|error| format!("{from}: {error}"))?;
        // SAFETY: `compiler` is alive.
        let text = match unsafe { compile(compiler, profile, entry, &source) } {
            Ok(text) => text,
            Err(error) => format!("refused\t{error}\n"),
        };
        std::fs::write(to, text).map_err(|error| format!("{to}: {error}"))?;
    }
    Ok(())
}

/// Function `number` of an object.
///
/// # Safety
/// The object is alive, and `F` is the signature of that function.
unsafe fn method<F: Copy>(object: Object, number: usize) -> F {
    // SAFETY: the caller's promise; a table of functions holds pointers.
    unsafe { std::mem::transmute_copy(&*(*object).add(number)) }
}

/// The disassembly.
///
/// # Safety
/// `compiler` is a live `IDxcCompiler3`.
unsafe fn compile(compiler: Object, profile: &str, entry: &str, source: &[u8]) -> Result<String, String> {
    // As in `wgpu-hal/src/dx12/shader_compilation.rs`.
    let mut arguments = vec!["-E", entry, "-T", profile, "-HV", "2018", "-no-warnings", "-Ges"];
    if profile == "cs_6_2" {
        arguments.push("-enable-16bit-types");
    }
    let wide: Vec<Vec<u32>> = arguments.iter().map(|text| text.chars().map(u32::from).chain([0]).collect()).collect();
    let pointers: Vec<*const u32> = wide.iter().map(|text| text.as_ptr()).collect();
    let buffer = Buffer { pointer: source.as_ptr().cast(), size: source.len(), encoding: UTF8 };
    type Compile = unsafe extern "C" fn(
        Object,
        *const Buffer,
        *const *const u32,
        u32,
        *const c_void,
        *const Id,
        *mut Object,
    ) -> i32;
    type Disassemble = unsafe extern "C" fn(Object, *const Buffer, *const Id, *mut Object) -> i32;
    type Status = unsafe extern "C" fn(Object, *mut i32) -> i32;
    // SAFETY: signatures and numbers are those of dxcapi.h; every object is alive until it is released.
    unsafe {
        let mut result: Object = std::ptr::null_mut();
        let count = pointers.len() as u32;
        let call = method::<Compile>(compiler, COMPILE);
        let mut status = call(compiler, &buffer, pointers.as_ptr(), count, std::ptr::null(), &RESULT, &mut result);
        if result.is_null() {
            return Err(format!("no result, status {status:x}"));
        }
        method::<Status>(result, STATUS)(result, &mut status);
        if status != 0 {
            let errors = output(result, ERRORS).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
            let errors = errors.unwrap_or_default();
            release(result);
            return Err(errors.lines().next().unwrap_or("no message").to_owned());
        }
        let object = output(result, OBJECT).ok_or("no object")?;
        release(result);
        let buffer = Buffer { pointer: object.as_ptr().cast(), size: object.len(), encoding: 0 };
        let mut shown: Object = std::ptr::null_mut();
        method::<Disassemble>(compiler, DISASSEMBLE)(compiler, &buffer, &RESULT, &mut shown);
        if shown.is_null() {
            return Err("no disassembly".to_owned());
        }
        let text = output(shown, DISASSEMBLY).ok_or("no disassembly")?;
        release(shown);
        let text = CString::from_vec_with_nul(text).map_or_else(|error| error.into_bytes(), CString::into_bytes);
        Ok(String::from_utf8_lossy(&text).into_owned())
    }
}

/// An output of a result, copied.
///
/// # Safety
/// `result` is a live `IDxcResult`.
unsafe fn output(result: Object, kind: u32) -> Option<Vec<u8>> {
    type Output = unsafe extern "C" fn(Object, u32, *const Id, *mut Object, *mut Object) -> i32;
    let mut blob: Object = std::ptr::null_mut();
    // SAFETY: as in `compile`.
    unsafe {
        method::<Output>(result, OUTPUT)(result, kind, &BLOB, &mut blob, std::ptr::null_mut());
        if blob.is_null() {
            return None;
        }
        let pointer = method::<unsafe extern "C" fn(Object) -> *const u8>(blob, POINTER)(blob);
        let size = method::<unsafe extern "C" fn(Object) -> usize>(blob, SIZE)(blob);
        let bytes = if pointer.is_null() { Vec::new() } else { std::slice::from_raw_parts(pointer, size).to_vec() };
        release(blob);
        Some(bytes)
    }
}

/// # Safety
/// `object` is alive and not used again.
unsafe fn release(object: Object) {
    // SAFETY: the third function of every COM object.
    unsafe { method::<unsafe extern "C" fn(Object) -> u32>(object, 2)(object) };
}
