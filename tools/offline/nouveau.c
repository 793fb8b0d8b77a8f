// What Mesa's stand-in for the nouveau driver (libnouveau_noop_drm_shim.so, Mesa 26.1) leaves unanswered and NVK asks at
// its start: some parameters, and the classes of engines of GPUs later than Ampere. Loaded in front of it.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

enum { DRM = 'd', COMMANDS = 0x40, GETPARAM = 0x00, NVIF = 0x07, VM_INIT = 0x10, EXEC = 0x12 };
enum { EXEC_PUSH_MAX = 17, VRAM_BAR_SIZE = 18, VRAM_USED = 19, HAS_VMA_TILEMODE = 20 };
enum { SCLASS = 1, AMPERE = 0x17f };

struct getparam { uint64_t param, value; };

static int answer(struct getparam *asked) {
  switch (asked->param) {
    case EXEC_PUSH_MAX: asked->value = 256; return 1;
    case VRAM_BAR_SIZE: asked->value = 16ull << 30; return 1;
    case VRAM_USED: asked->value = 0; return 1;
    case HAS_VMA_TILEMODE: asked->value = 1; return 1;
    default: return 0;
  }
}

struct classes {
  uint8_t version, type, pad[4], owner, route;
  uint64_t token, object;
  uint8_t list_version, count, list_pad[6];
  struct { int32_t class; int16_t least, most; } list[];
};

// Those of GH100: memory, 2D, 3D, compute, copy.
static void hopper(struct classes *asked) {
  static const int32_t known[] = { 0xa140, 0x902d, 0xcb97, 0xcbc0, 0xc8b5 };
  unsigned room = asked->count, count = sizeof known / sizeof *known;
  for (unsigned i = 0; i < count && i < room; i++) asked->list[i].class = known[i];
  asked->count = count;
}

int ioctl(int file, unsigned long request, ...) {
  static int (*shim)(int, unsigned long, ...);
  if (!shim) shim = (int (*)(int, unsigned long, ...))dlsym(RTLD_NEXT, "ioctl");
  va_list rest;
  va_start(rest, request);
  void *argument = va_arg(rest, void *);
  va_end(rest);
  if ((request >> 8 & 0xff) != DRM) return shim(file, request, argument);
  unsigned command = (request & 0xff) - COMMANDS;
  if (command == GETPARAM && answer(argument)) return 0;
  const char *chip = getenv("NOUVEAU_CHIPSET");
  if (command == NVIF && chip && strtol(chip, 0, 16) > AMPERE && ((struct classes *)argument)->type == SCLASS) {
    hopper(argument);
    return 0;
  }
  int result = shim(file, request, argument);
  return command >= VM_INIT && command <= EXEC ? 0 : result;
}
