/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is this text at all? Encoding and rubbish are judged before the first token, because every later message would be
 * nonsense. Reads the bytes of one source, adds diagnostics, owns nothing.
 */
#ifndef SEKISHO_POLICY_READ_TEXT_H
#define SEKISHO_POLICY_READ_TEXT_H

#include "appliance/base/diag.h"

/* False when the text must not be scanned: one diagnostic says why. A BOM or direction character is an error, too, but
 * leaves the text readable: true, and *ret_start is the first byte to scan. */
bool scan_text_usable(struct diags *d, const struct source_text *s, uint32_t file, size_t *ret_start);

#endif
