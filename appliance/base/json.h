/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON with jansson. Users of this header use `json_t` through jansson's own calls; this header
 * adds the few functions that all of them need.
 */
#ifndef SEKISHO_BASE_JSON_H
#define SEKISHO_BASE_JSON_H

#include <jansson.h>
#include <stdio.h>

#include "appliance/base/addr.h"

/* A string even when `s` is not valid UTF-8 (bad bytes become '?'); NULL gives JSON null. */
json_t *json_text(const char *s);
json_t *json_addr(const struct addr *a);	     /* "10.0.0.1" */
json_t *json_addr_range(const struct addr_range *r); /* as addr_range_text */
json_t *json_addr_ranges(const struct addr_range *r, size_t n);
/* "10.0.0.1:502", "[2001:db8::1]:502" */
json_t *json_endpoint(const struct addr *a, uint16_t port);
json_t *json_hex(const uint8_t *p, size_t n);
/* Returns the list if it has n members, which shows that memory did not run out while it was
 * filled. Otherwise frees it and returns NULL. */
json_t *json_list_whole(json_t *list, size_t n);
json_t *json_time(uint64_t wall_ns); /* RFC 3339, UTC, milliseconds */
/* A moment in seconds since 1970, as json_time; 0 gives null. */
json_t *json_seconds(uint64_t seconds);
json_t *json_text_or_null(const char *s); /* "" and NULL give null */
/* One compact line with '\n'. Takes the reference. */
void json_line(FILE *to, json_t *j);
/* A text of an object; "" = there is none. */
const char *text_in(const json_t *x, const char *key);
/* A number of an object; 0 = there is none, or it is negative. */
uint64_t count_in(const json_t *x, const char *key);
/* A sealed memfd with the compact text, or negative errno. Takes the reference. */
int json_memfd(json_t *j);
/* The JSON in such a memfd; the caller owns the reference. NULL: no descriptor (`fd` below 0), more
 * than `most` bytes, no JSON, or an object with a member twice. `fd` stays the caller's. */
json_t *json_of_memfd(int fd, size_t most);

#endif
