/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parses the request target of an HTTP request ("/api/v1/events?after=12&limit=50"), strictly: only
 * targets in exactly our spelling are accepted. Nothing is decoded: a percent sign, a double slash
 * or a dot segment matches no route. The only exception is /api/v1/ask, whose parameters are labels
 * and names as people write them. Pure.
 */
#ifndef SEKISHO_MGMT_WEB_API_TARGET_H
#define SEKISHO_MGMT_WEB_API_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/bytes.h"

#define TARGET_PATH 64
#define TARGET_KEY 16
#define TARGET_TEXT 128	     /* bytes of a value, NUL included */
#define TARGET_PARAMETERS 15 /* as many as all parameters of events */

struct target_parameter {
	char key[TARGET_KEY]; /* small letters only */
	/* letters, digits and . _ : / -; for /api/v1/ask, all characters of a line of text */
	char text[TARGET_TEXT];
	bool number; /* only digits, and the value fits in 64 bits */
	uint64_t value;
};

struct target {
	char path[TARGET_PATH]; /* "" for a path that cannot be ours */
	bool bad_query;		/* the query is not a list of key=value, or has a key twice */
	struct target_parameter parameters[TARGET_PARAMETERS];
	size_t n_parameters;
};

/* Reads all bytes. A target that cannot be ours gets an empty path. */
void target_parse(struct bytes text, struct target *ret);
/* False when the parameter is missing, or is not a number. */
bool target_number(const struct target *t, const char *key, uint64_t *ret);
/* NULL when the parameter is missing. */
const struct target_parameter *target_find(const struct target *t, const char *key);
/* "" when the parameter is missing. */
const char *target_text(const struct target *t, const char *key);
/* False when the parameter is there but is none of `words`, a list that ends with NULL. Increments
 * *n when the parameter is there. */
bool target_is_one_of(const struct target *t, const char *key, const char *const words[], size_t *n);

#endif
