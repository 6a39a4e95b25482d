/* The header is C11, and nothing here may crash. */
#include <stdio.h>
#include <string.h>

#include "litenat/litenat.h"

static int failures = 0;

static void expect(int condition, const char* what) {
  if (condition) return;
  printf("failed: %s\n", what);
  ++failures;
}

int main(void) {
  char message[64] = "x";
  litenat_model* model = NULL;
  litenat_session* session = NULL;
  litenat_session_options session_options = litenat_session_default_options();
  litenat_convert_options convert_options = litenat_convert_default_options();
  const litenat_candidate* candidates = NULL;
  size_t count = 1;

  expect(strlen(litenat_version()) > 0, "a version");
  expect(session_options.struct_size == sizeof(session_options), "size of session options");
  expect(convert_options.struct_size == sizeof(convert_options), "size of convert options");
  expect(litenat_model_open("/nonexistent", &model, message, sizeof(message)) == LITENAT_STATUS_NOT_FOUND, "not found");
  expect(model == NULL && strlen(message) > 0, "a message");
  expect(litenat_model_open(NULL, &model, NULL, 0) == LITENAT_STATUS_INVALID_ARGUMENT, "no path");
  expect(litenat_session_new(NULL, &session_options, &session) == LITENAT_STATUS_INVALID_ARGUMENT, "no model");
  expect(
      litenat_session_convert(NULL, "ni", 2, &convert_options, &candidates, &count) == LITENAT_STATUS_INVALID_ARGUMENT,
      "no session");
  expect(candidates == NULL && count == 0, "no candidates");
  litenat_session_free(session);
  litenat_model_free(model);
  return failures;
}
