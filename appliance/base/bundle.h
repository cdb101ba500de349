/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bundle: the texts of one policy as bytes, handed from process to process and kept as a draft.
 *
 *   "SKSHBND1", u32 count, then per text: u16 length of the name, the name, u32 size, the text; big
 *   endian; first the main text
 *
 * This module only encodes and decodes bundles. The compiler decides which names are allowed and
 * what a text means. Pure.
 */
#ifndef SEKISHO_BASE_BUNDLE_H
#define SEKISHO_BASE_BUNDLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/bytes.h"
#include "appliance/base/diag.h"

#define BUNDLE_MAGIC "SKSHBND1"
#define BUNDLE_MAGIC_SIZE 8u
#define BUNDLE_TEXTS_MAX 1024u

/* Returns the number of bytes; with p NULL, only that number. 0 when it does not fit. */
size_t bundle_encode(const struct source_text *sources, size_t n, uint8_t *p, size_t size);
/* Reads the header. *ret_n: how many texts follow, from 1 to BUNDLE_TEXTS_MAX. */
bool bundle_head(struct bytes *b, uint32_t *ret_n);
/* Reads the next text. Name and text borrow the bytes, and do not end with a NUL. */
bool bundle_next(struct bytes *b, struct bytes *ret_name, struct bytes *ret_text);

#endif
