/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The head of an answer of HTTP/1.1 (RFC 9112): whether a file follows, and how long it is. Of all that a server may say, one form is taken: status 200 and
 * one Content-Length, without a coding of any kind; so nothing behind the head has to be parsed. Pure.
 */
#ifndef SEKISHO_FETCH_HEAD_H
#define SEKISHO_FETCH_HEAD_H

#include <stddef.h>
#include <stdint.h>

#include "appliance/base/bytes.h"
#include "appliance/fetch/end.h"

#define FETCH_HEAD_MOST 8192u /* bytes, the empty line included */

/*
 * `b`: what has come so far. FETCH_MORE: the head is not whole yet. FETCH_DONE: *ret_head bytes are the head, *ret_length is the file's length in
 * bytes. Anything else: how the fetch ends.
 */
enum fetch_end fetch_head(struct bytes b, size_t *ret_head, uint64_t *ret_length);

#endif
