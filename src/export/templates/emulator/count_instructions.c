/*
 * A QEMU TCG plugin that counts the instructions that a Cortex-M program executes between MARK_BEGIN() and
 * MARK_END() (mark.h), by the classes that Arm's timing tables distinguish. One line per region goes to the
 * file of `out=PATH`:
 *
 *   alu multiply divide load_first load_next store multiple multiple_registers branch_taken branch_not_taken
 * other
 *
 * Counts are exact and the same in every run. QEMU knows neither caches nor wait states nor dual issue: these
 * are instructions, never cycles. Written for plugin API 1 (QEMU 7.2), whose header Debian does not package;
 * the functions used are declared below.
 *
 *   gcc -shared -fPIC -O2 -o libcount.so count_instructions.c
 *   qemu-system-arm ... -plugin ./libcount.so,out=regions.txt -kernel program.elf
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
enum { QEMU_PLUGIN_CB_NO_REGS = 0, QEMU_PLUGIN_INLINE_ADD_U64 = 0 };

__attribute__((visibility("default"))) int qemu_plugin_version = 1;

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id,
                                           void (*callback)(qemu_plugin_id_t, struct qemu_plugin_tb*));
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb* block, void (*callback)(unsigned, void*),
                                          int flags, void* data);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn* insn, void (*callback)(unsigned, void*),
                                            int flags, void* data);
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn* insn, int operation, void* counter,
                                                uint64_t value);
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t id, void (*callback)(qemu_plugin_id_t, void*),
                                    void* data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb* block);
struct qemu_plugin_insn* qemu_plugin_tb_get_insn(const struct qemu_plugin_tb* block, size_t index);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb* block);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn* insn);
const void* qemu_plugin_insn_data(const struct qemu_plugin_insn* insn);

enum counter {
  ALU,
  MULTIPLY,
  DIVIDE,
  LOAD_FIRST, /* a single load whose predecessor is not one: nothing to pipeline with */
  LOAD_NEXT,
  STORE,
  MULTIPLE, /* LDM, STM, PUSH, POP, LDRD, STRD: instructions, and the registers that they move */
  MULTIPLE_REGISTERS,
  BRANCH_TAKEN,
  BRANCH, /* all executed; printed as those not taken */
  OTHER,  /* floating point, vectors, exclusive accesses */
  COUNTERS
};

static uint64_t counts[COUNTERS];
static uint64_t at_begin[COUNTERS];
static FILE* out;

/* What a translated block is when it runs, to tell a taken branch from one that falls through. */
struct block {
  uint64_t start;
  uint64_t end;
  bool ends_in_branch;
};
static const struct block* previous;

static enum counter class_of_narrow(unsigned h, unsigned* registers) {
  if ((h & 0xF800) == 0x4800) return LOAD_FIRST;                               /* LDR literal */
  if ((h & 0xF000) == 0x5000) return ((h >> 9) & 7) >= 3 ? LOAD_FIRST : STORE; /* register offset */
  if (h >= 0x6000 && h < 0xA000) return (h & 0x0800) ? LOAD_FIRST : STORE;     /* immediate offset, SP */
  if ((h & 0xF600) == 0xB400) {                                                /* PUSH, POP */
    *registers = (unsigned)__builtin_popcount(h & 0x1FF);
    return MULTIPLE;
  }
  if ((h & 0xF000) == 0xC000) { /* LDM, STM */
    *registers = (unsigned)__builtin_popcount(h & 0xFF);
    return MULTIPLE;
  }
  if ((h & 0xF000) == 0xD000)
    return (h & 0x0E00) == 0x0E00 ? OTHER : BRANCH;                    /* UDF and SVC are no branches */
  if ((h & 0xF800) == 0xE000 || (h & 0xFF00) == 0x4700) return BRANCH; /* B, BX, BLX */
  if ((h & 0xF500) == 0xB100) return BRANCH;                           /* CBZ, CBNZ */
  if ((h & 0xFFC0) == 0x4340) return MULTIPLY;
  return ALU;
}

static enum counter class_of_wide(unsigned h, unsigned h2, unsigned* registers) {
  if ((h & 0xFE00) == 0xE800) {
    if ((h & 0x0040) == 0) {
      *registers = (unsigned)__builtin_popcount(h2);
      return MULTIPLE;
    }
    if ((h & 0xFFF0) == 0xE8D0 && (h2 & 0xFFE0) == 0xF000) return BRANCH; /* TBB, TBH */
    if ((h & 0x0120) == 0) return OTHER;                                  /* exclusive */
    *registers = 2;                                                       /* LDRD, STRD */
    return MULTIPLE;
  }
  if ((h & 0xFE00) == 0xF800) return (h & 0x0010) ? LOAD_FIRST : STORE;
  if ((h & 0xFF00) == 0xFB00) {
    if ((h & 0xFFF0) == 0xFB90 || (h & 0xFFF0) == 0xFBB0) return DIVIDE;
    return MULTIPLY;
  }
  if ((h & 0xF800) == 0xF000 && (h2 & 0x8000) != 0) {
    if ((h2 & 0x5000) != 0) return BRANCH; /* B, BL, and the low-overhead loops of Armv8.1-M */
    return (h & 0x0380) == 0x0380 ? ALU : BRANCH;
  }
  if ((h & 0xEC00) == 0xEC00) return OTHER;
  return ALU;
}

static void begin(unsigned cpu, void* data) {
  (void)cpu, (void)data;
  memcpy(at_begin, counts, sizeof counts);
}

static void end(unsigned cpu, void* data) {
  int i;
  (void)cpu, (void)data;
  for (i = 0; i < COUNTERS; ++i) {
    uint64_t count = counts[i] - at_begin[i];
    if (i == BRANCH) count -= counts[BRANCH_TAKEN] - at_begin[BRANCH_TAKEN];
    if (i == ALU) count -= 1; /* MARK_END() itself; MARK_BEGIN() is counted before it is seen */
    fprintf(out, "%s%" PRIu64, i == 0 ? "" : " ", count);
  }
  fputc('\n', out);
}

static void enter_block(unsigned cpu, void* data) {
  const struct block* block = data;
  (void)cpu;
  if (previous != NULL && previous->ends_in_branch && block->start != previous->end) ++counts[BRANCH_TAKEN];
  previous = block;
}

static void translate(qemu_plugin_id_t id, struct qemu_plugin_tb* tb) {
  const size_t n = qemu_plugin_tb_n_insns(tb);
  struct block* block = calloc(1, sizeof *block); /* lives as long as QEMU's translation of it */
  enum counter last = ALU;
  size_t i;
  (void)id;
  if (block == NULL) abort();
  block->start = qemu_plugin_tb_vaddr(tb);
  qemu_plugin_register_vcpu_tb_exec_cb(tb, enter_block, QEMU_PLUGIN_CB_NO_REGS, block);
  for (i = 0; i < n; ++i) {
    struct qemu_plugin_insn* insn = qemu_plugin_tb_get_insn(tb, i);
    const uint8_t* bytes = qemu_plugin_insn_data(insn);
    const unsigned h = bytes[0] | (unsigned)bytes[1] << 8;
    /* The first halfword tells the length; QEMU 7.2's qemu_plugin_insn_size can be wrong at the end of a
     * page. */
    const bool wide = (h & 0xF800) >= 0xE800;
    const unsigned h2 = wide ? bytes[2] | (unsigned)bytes[3] << 8 : 0;
    unsigned registers = 0;
    enum counter kind = wide ? class_of_wide(h, h2, &registers) : class_of_narrow(h, &registers);
    enum counter counted = kind;
    if (kind == LOAD_FIRST && (last == LOAD_FIRST)) counted = LOAD_NEXT;
    qemu_plugin_register_vcpu_insn_exec_inline(insn, QEMU_PLUGIN_INLINE_ADD_U64, &counts[counted], 1);
    if (registers > 0) {
      qemu_plugin_register_vcpu_insn_exec_inline(insn, QEMU_PLUGIN_INLINE_ADD_U64,
                                                 &counts[MULTIPLE_REGISTERS], registers);
    }
    if (wide && h == 0xF3AF && h2 == 0x80F1) {
      qemu_plugin_register_vcpu_insn_exec_cb(insn, begin, QEMU_PLUGIN_CB_NO_REGS, NULL);
    }
    if (wide && h == 0xF3AF && h2 == 0x80F2) {
      qemu_plugin_register_vcpu_insn_exec_cb(insn, end, QEMU_PLUGIN_CB_NO_REGS, NULL);
    }
    last = kind;
    block->end = qemu_plugin_insn_vaddr(insn) + (wide ? 4 : 2);
    block->ends_in_branch = kind == BRANCH;
  }
}

static void finish(qemu_plugin_id_t id, void* data) {
  (void)id, (void)data;
  fclose(out);
}

__attribute__((visibility("default"))) int qemu_plugin_install(qemu_plugin_id_t id, const void* info,
                                                               int argc, char** argv) {
  int i;
  (void)info;
  for (i = 0; i < argc; ++i) {
    if (strncmp(argv[i], "out=", 4) == 0) out = fopen(argv[i] + 4, "w");
  }
  if (out == NULL) {
    fprintf(stderr, "count_instructions: expected out=PATH of a file that can be written\n");
    return 1;
  }
  qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
  qemu_plugin_register_atexit_cb(id, finish, NULL);
  return 0;
}
