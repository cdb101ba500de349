/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Building and reading JSON, by jansson; json.c is the only module that includes it together with this header's users:
 * they handle `json_t` through jansson's own documented calls. This header adds the few things all of them need.
 */
#ifndef SEKISHO_BASE_JSON_H
#define SEKISHO_BASE_JSON_H

#include <jansson.h>
#include <stdio.h>

#include "appliance/base/addr.h"

/* A string even when `s` is not valid UTF-8 (bad bytes become '?'); NULL gives JSON null. */
json_t *json_text(const char *s);
json_t *json_addr(const struct addr *a);		    /* "10.0.0.1" */
json_t *json_endpoint(const struct addr *a, uint16_t port); /* "10.0.0.1:502", "[2001:db8::1]:502" */
json_t *json_hex(const uint8_t *p, size_t n);
/* The list when it has n members, as many as were put into it while there was memory; else NULL, and its reference is gone. */
json_t *json_list_whole(json_t *list, size_t n);
json_t *json_time(uint64_t wall_ns); /* RFC 3339, UTC, milliseconds */
/* One compact line with '\n'. Takes the reference. */
void json_line(FILE *to, json_t *j);
/* A sealed memfd with the compact text, or negative errno. Takes the reference. */
int json_memfd(json_t *j);
/* What such a memfd holds, a reference of the caller's. NULL: none came (`fd` below 0), more than `most` bytes, no JSON,
 * or an object that names a member twice. `fd` stays the caller's. */
json_t *json_of_memfd(int fd, size_t most);

#endif
