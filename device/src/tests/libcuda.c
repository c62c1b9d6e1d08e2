/* A library in the place of the CUDA driver's, so that tests go through the same calls without a GPU.
 *
 * Memory of a device is a file without a name that is mapped into the process; other processes import its descriptor. What a driver
 * would leave undefined ends the process here: a call without a context, an address of another device, memory that is
 * used after it was let go. It stands for no result on a GPU. Only what `ffi` calls is here.
 *
 * LIBCUDA_DEVICES: how many there are (2); LIBCUDA_VERSION, LIBCUDA_INIT, LIBCUDA_SHARES: what the driver says of itself.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SUCCESS = 0, INVALID_VALUE = 1, OUT_OF_MEMORY = 2, NO_DEVICE = 100, INVALID_DEVICE = 101, NOT_FOUND = 500 };
enum { DEVICES = 8, MAPPINGS = 4096, DEPTH = 16, INVALID_PTX = 218 };

static const uint64_t TOTAL = 4ull << 30;

typedef uint64_t address;
typedef struct { int device; } context;
typedef struct { int fd, device, created; size_t size; } memory;
typedef struct { int type, handles, location_type, device; } properties;

static context contexts[DEVICES];
static __thread context *stack[DEPTH];
static __thread int depth;
static struct { address start; size_t size; int device; } mappings[MAPPINGS];
static uint64_t used[DEVICES];
static int running; /* kernels */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t ended = PTHREAD_COND_INITIALIZER;

static long setting(const char *name, long otherwise) {
  const char *value = getenv(name);
  return value ? atol(value) : otherwise;
}

static void wrong(const char *call, const char *what) {
  fprintf(stderr, "libcuda.c: %s: %s\n", call, what);
  abort();
}

static context *current(const char *call) {
  if (depth == 0) wrong(call, "no context is current");
  return stack[depth - 1];
}

/* The device of an address, or -1. */
static int device_of(address at) {
  int device = -1;
  pthread_mutex_lock(&lock);
  for (int i = 0; i < MAPPINGS && device < 0; i++)
    if (mappings[i].size && at >= mappings[i].start && at - mappings[i].start < mappings[i].size)
      device = mappings[i].device;
  pthread_mutex_unlock(&lock);
  return device;
}

static void *here(const char *call, address at) {
  if (device_of(at) != current(call)->device) wrong(call, "memory of another device, or of none");
  return (void *)at;
}

/* The driver and its devices. */

int cuGetErrorName(int result, const char **name) {
  *name = result == OUT_OF_MEMORY ? "CUDA_ERROR_OUT_OF_MEMORY" : "CUDA_ERROR";
  return SUCCESS;
}

int cuDriverGetVersion(int *version) {
  *version = setting("LIBCUDA_VERSION", 13000);
  return SUCCESS;
}

int cuDeviceGetCount(int *count) {
  *count = setting("LIBCUDA_DEVICES", 2);
  return SUCCESS;
}

int cuInit(unsigned flags) {
  return setting("LIBCUDA_DEVICES", 2) ? setting("LIBCUDA_INIT", SUCCESS) : NO_DEVICE;
}

int cuDeviceGet(int *device, int ordinal) {
  *device = ordinal;
  return ordinal >= 0 && ordinal < setting("LIBCUDA_DEVICES", 2) ? SUCCESS : INVALID_DEVICE;
}

int cuDeviceGetAttribute(int *value, int attribute, int device) {
  *value = setting("LIBCUDA_SHARES", 1);
  return SUCCESS;
}

int cuDeviceGetName(char *name, int size, int device) {
  snprintf(name, size, "no GPU");
  return SUCCESS;
}

int cuDeviceGetUuid_v2(unsigned char *uuid, int device) {
  memset(uuid, 100 + device, 16);
  return SUCCESS;
}

int cuDevicePrimaryCtxRetain(context **retained, int device) {
  contexts[device].device = device;
  *retained = &contexts[device];
  return SUCCESS;
}

int cuCtxPushCurrent_v2(context *pushed) {
  if (depth == DEPTH) wrong("cuCtxPushCurrent", "contexts are pushed and not popped");
  stack[depth++] = pushed;
  return SUCCESS;
}

int cuCtxPopCurrent_v2(context **popped) {
  *popped = current("cuCtxPopCurrent");
  depth--;
  return SUCCESS;
}

/* Memory. */

int cuMemGetAllocationGranularity(size_t *size, const properties *of, int which) {
  *size = 2 << 20;
  return SUCCESS;
}

int cuMemGetInfo_v2(size_t *left, size_t *total) {
  *total = TOTAL;
  *left = TOTAL - used[current("cuMemGetInfo")->device];
  return SUCCESS;
}

int cuMemCreate(memory **created, size_t size, const properties *of, uint64_t flags) {
  current("cuMemCreate");
  if (size > TOTAL - used[of->device]) return OUT_OF_MEMORY;
  int fd = memfd_create("device", MFD_CLOEXEC);
  if (fd < 0 || ftruncate(fd, size)) return OUT_OF_MEMORY;
  __atomic_add_fetch(&used[of->device], size, __ATOMIC_SEQ_CST);
  *created = malloc(sizeof **created);
  **created = (memory){fd, of->device, 1, size};
  return SUCCESS;
}

int cuMemExportToShareableHandle(int *fd, memory *of, int type, uint64_t flags) {
  current("cuMemExportToShareableHandle");
  if (!of->created) return INVALID_VALUE; /* as the driver says of what was imported */
  *fd = dup(of->fd);
  return *fd < 0 ? INVALID_VALUE : SUCCESS;
}

int cuMemImportFromShareableHandle(memory **imported, void *handle, int type) {
  int device = current("cuMemImportFromShareableHandle")->device;
  int fd = fcntl((int)(intptr_t)handle, F_DUPFD_CLOEXEC, 0);
  struct stat stat;
  if (fd < 0 || fstat(fd, &stat)) return INVALID_VALUE;
  *imported = malloc(sizeof **imported);
  **imported = (memory){fd, device, 0, stat.st_size};
  return SUCCESS;
}

int cuMemAddressReserve(address *start, size_t size, size_t alignment, address wanted, uint64_t flags) {
  current("cuMemAddressReserve");
  void *reserved = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  *start = (address)reserved;
  return reserved == MAP_FAILED ? OUT_OF_MEMORY : SUCCESS;
}

int cuMemMap(address start, size_t size, size_t offset, memory *of, uint64_t flags) {
  current("cuMemMap");
  int protection = PROT_READ | PROT_WRITE;
  if (size > of->size) return INVALID_VALUE;
  if (mmap((void *)start, size, protection, MAP_SHARED | MAP_FIXED, of->fd, 0) == MAP_FAILED) return OUT_OF_MEMORY;
  pthread_mutex_lock(&lock);
  int slot = 0;
  while (slot < MAPPINGS && mappings[slot].size) slot++;
  if (slot == MAPPINGS) wrong("cuMemMap", "more mappings than the tests have");
  mappings[slot].start = start, mappings[slot].size = size, mappings[slot].device = of->device;
  pthread_mutex_unlock(&lock);
  return SUCCESS;
}

int cuMemSetAccess(address start, size_t size, const void *access, size_t count) {
  here("cuMemSetAccess", start);
  return SUCCESS;
}

int cuMemUnmap(address start, size_t size) {
  here("cuMemUnmap", start);
  pthread_mutex_lock(&lock);
  for (int i = 0; i < MAPPINGS; i++)
    if (mappings[i].start == start) mappings[i].start = mappings[i].size = 0;
  pthread_mutex_unlock(&lock);
  /* The range stays reserved until it is freed. */
  mmap((void *)start, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
  return SUCCESS;
}

int cuMemAddressFree(address start, size_t size) {
  current("cuMemAddressFree");
  if (device_of(start) >= 0) wrong("cuMemAddressFree", "something is mapped there");
  return munmap((void *)start, size) ? INVALID_VALUE : SUCCESS;
}

int cuMemRelease(memory *released) {
  current("cuMemRelease");
  if (released->created) __atomic_sub_fetch(&used[released->device], released->size, __ATOMIC_SEQ_CST);
  close(released->fd);
  free(released);
  return SUCCESS;
}

int cuMemHostAlloc(void **start, size_t size, unsigned flags) {
  current("cuMemHostAlloc");
  return (*start = malloc(size)) ? SUCCESS : OUT_OF_MEMORY;
}

int cuMemFreeHost(void *start) {
  current("cuMemFreeHost");
  free(start);
  return SUCCESS;
}

int cuPointerGetAttribute(int *device, int attribute, address at) {
  current("cuPointerGetAttribute");
  *device = device_of(at);
  return *device < 0 ? INVALID_VALUE : SUCCESS;
}

/* Copies, which have ended when they return: those of a driver may not have. */

int cuMemcpyHtoD_v2(address to, const void *from, size_t size) {
  memcpy(here("cuMemcpyHtoD", to), from, size);
  return SUCCESS;
}

int cuMemcpyDtoH_v2(void *to, address from, size_t size) {
  memcpy(to, here("cuMemcpyDtoH", from), size);
  return SUCCESS;
}

int cuMemcpyDtoD_v2(address to, address from, size_t size) {
  memcpy(here("cuMemcpyDtoD", to), here("cuMemcpyDtoD", from), size);
  return SUCCESS;
}

int cuMemcpyPeerAsync(address to, context *there, address from, context *other, size_t size, void *stream) {
  current("cuMemcpyPeerAsync");
  if (device_of(to) != there->device || device_of(from) != other->device)
    wrong("cuMemcpyPeerAsync", "memory of another device");
  memcpy((void *)to, (void *)from, size);
  return SUCCESS;
}

int cuMemsetD8_v2(address at, unsigned char byte, size_t size) {
  memset(here("cuMemsetD8", at), byte, size);
  return SUCCESS;
}

/* Streams, and the kernels of the tests, each of which has ended when it returns, but for one. */

static void wait_for_kernels(void) {
  pthread_mutex_lock(&lock);
  while (running) pthread_cond_wait(&ended, &lock);
  pthread_mutex_unlock(&lock);
}

int cuCtxSynchronize(void) {
  current("cuCtxSynchronize");
  wait_for_kernels();
  return SUCCESS;
}

int cuStreamSynchronize(void *stream) {
  current("cuStreamSynchronize");
  if (stream) wait_for_kernels(); /* they run on streams of their own, for which the default stream does not wait */
  return SUCCESS;
}

int cuStreamCreate(void **stream, unsigned flags) {
  current("cuStreamCreate");
  return (*stream = malloc(1)) ? SUCCESS : OUT_OF_MEMORY;
}

int cuStreamDestroy_v2(void *stream) {
  current("cuStreamDestroy");
  free(stream);
  return SUCCESS;
}

int cuModuleLoadData(char **module, const char *text) {
  current("cuModuleLoadData");
  if (!strstr(text, ".version")) return INVALID_PTX;
  *module = strdup(text);
  return SUCCESS;
}

int cuModuleUnload(char *module) {
  current("cuModuleUnload");
  free(module);
  return SUCCESS;
}

typedef void kernel(void **arguments);

static void add_one(void **arguments) {
  unsigned char *bytes = *(unsigned char **)arguments[0];
  for (uint32_t i = 0; i < *(uint32_t *)arguments[1]; i++) bytes[i]++;
}

static void threshold(void **arguments) {
  const float *voxels = *(const float **)arguments[0];
  unsigned char *mask = *(unsigned char **)arguments[1];
  for (uint32_t i = 0; i < *(uint32_t *)arguments[3]; i++) mask[i] = voxels[i] >= *(float *)arguments[2];
}

static void *waits(void *argument) {
  volatile uint32_t *word = argument;
  for (int i = 0; i < 5000 && word[0] != 1; i++) usleep(1000);
  if (word[0] != 1) word[1] = 9;
  pthread_mutex_lock(&lock);
  running--;
  pthread_cond_broadcast(&ended);
  pthread_mutex_unlock(&lock);
  return NULL;
}

static void wait_for_one(void **arguments) {
  pthread_t thread;
  pthread_mutex_lock(&lock);
  running++;
  pthread_mutex_unlock(&lock);
  pthread_create(&thread, NULL, waits, *(void **)arguments[0]);
  pthread_detach(thread);
}

int cuModuleGetFunction(kernel **function, const char *module, const char *name) {
  current("cuModuleGetFunction");
  static const struct { const char *name; kernel *run; } kernels[] = {
      {"add_one", add_one}, {"threshold", threshold}, {"wait_for_one", wait_for_one}};
  for (int i = 0; i < 3; i++)
    if (strstr(module, name) && !strcmp(name, kernels[i].name)) {
      *function = kernels[i].run;
      return SUCCESS;
    }
  return NOT_FOUND;
}

int cuLaunchKernel(kernel *function, unsigned x, unsigned y, unsigned z, unsigned tx, unsigned ty, unsigned tz,
                   unsigned shared, void *stream, void **arguments, void **extra) {
  current("cuLaunchKernel");
  function(arguments);
  return SUCCESS;
}
