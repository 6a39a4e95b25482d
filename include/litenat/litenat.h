/* LiteNAT's C API: open a .litenat model, convert keys (or tokens) on the device.
 *
 * Rules. No call aborts, throws, prints, allocates globally visible state or touches a file that the host did not
 * name. Every pointer and size is checked; NULL where an object is expected gives LITENAT_STATUS_INVALID_ARGUMENT.
 * Strings are UTF-8. A model is immutable and may be shared by threads; a session serves one thread at a time.
 * The kernels are those of the best instruction set that the CPU has; the environment variable LITENAT_FORCE_ISA
 * (scalar, avx2, avx512_vnni, neon, neon_dotprod) forces one, and is the only variable that is read: all give equal
 * results. Every options struct begins with struct_size: fill it with litenat_<...>_default_options(), then change
 * fields.
 */
#ifndef LITENAT_LITENAT_H_
#define LITENAT_LITENAT_H_

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define LITENAT_API __attribute__((visibility("default")))
#else
#define LITENAT_API
#endif

typedef enum litenat_status {
  LITENAT_STATUS_OK = 0,
  LITENAT_STATUS_INVALID_ARGUMENT = 1,
  LITENAT_STATUS_NOT_FOUND = 2,
  LITENAT_STATUS_CORRUPT = 3,
  LITENAT_STATUS_UNSUPPORTED = 4,
  LITENAT_STATUS_IO = 5,
  LITENAT_STATUS_OUT_OF_MEMORY = 6,
  LITENAT_STATUS_INTERNAL = 7
} litenat_status;

typedef struct litenat_model litenat_model;
typedef struct litenat_session litenat_session;

/* "0.1.0". Static storage. */
LITENAT_API const char* litenat_version(void);
/* A short English text of a status. Static storage; never NULL. */
LITENAT_API const char* litenat_status_text(litenat_status status);

/* Opens a model file (memory-mapped). On success *model is the caller's, to be freed with litenat_model_free.
 * On failure *model is NULL and, when `message` is not NULL, up to message_size - 1 bytes of one line that says what
 * was expected and found are written there, NUL-terminated. */
LITENAT_API litenat_status litenat_model_open(const char* path, litenat_model** model, char* message,
                                              size_t message_size);
/* The same over bytes that the caller keeps valid, unchanged and 64-byte aligned until the model is freed. */
LITENAT_API litenat_status litenat_model_open_memory(const void* data, size_t size, litenat_model** model,
                                                     char* message, size_t message_size);
/* Frees the model; sessions made from it must have been freed before. NULL is allowed. */
LITENAT_API void litenat_model_free(litenat_model* model);

typedef struct litenat_model_info {
  size_t struct_size;
  const char* family;      /* "tagger", ...; owned by the model, as is every string here */
  const char* description; /* the model's JSON description */
  const char* isa;         /* instruction set in use: "avx512_vnni", ... */
  uint64_t parameters;
  uint64_t file_size_bytes;
  uint64_t multiply_adds_16; /* of one sentence of 16 positions */
  int32_t source_vocabulary;
  int32_t target_vocabulary;
  int32_t is_quantized; /* 1: int8 weights */
} litenat_model_info;
/* Fills the first info->struct_size bytes. */
LITENAT_API litenat_status litenat_model_get_info(const litenat_model* model, litenat_model_info* info);

typedef struct litenat_session_options {
  size_t struct_size;
  int32_t num_threads; /* 1 and above; a session never uses more */
} litenat_session_options;
LITENAT_API litenat_session_options litenat_session_default_options(void);
/* `options` may be NULL for the defaults. The model must outlive the session. */
LITENAT_API litenat_status litenat_session_new(const litenat_model* model, const litenat_session_options* options,
                                               litenat_session** session);
LITENAT_API void litenat_session_free(litenat_session* session);
/* One line about this session's last failed call; "" when none. Valid until the session's next call. */
LITENAT_API const char* litenat_session_error(const litenat_session* session);

typedef struct litenat_convert_options {
  size_t struct_size;
  int32_t num_best;      /* candidates wanted, 1 .. 256 */
  int32_t beam;          /* hypotheses kept, 1 .. 256; 0 = the model's own setting */
  int32_t unconstrained; /* 1: hanzi need not have a reading that the keys allow */
  int32_t strict;        /* 1: text that is no key sequence is an error */
} litenat_convert_options;
LITENAT_API litenat_convert_options litenat_convert_default_options(void);

typedef struct litenat_candidate {
  const char* text;       /* NUL-terminated UTF-8 */
  size_t text_size;       /* bytes before the NUL */
  float score;            /* natural logarithm, higher is better; comparable within one call */
  int32_t input_consumed; /* bytes of the input that the text stands for */
} litenat_candidate;

/* Converts one input line: runs of keys become hanzi, other text stays as typed. On success *candidates points to
 * *count candidates, best first, owned by the session and valid until its next call. */
LITENAT_API litenat_status litenat_session_convert(litenat_session* session, const char* line, size_t line_size,
                                                   const litenat_convert_options* options,
                                                   const litenat_candidate** candidates, size_t* count);

#ifdef __cplusplus
}
#endif

#endif /* LITENAT_LITENAT_H_ */
