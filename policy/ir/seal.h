/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A generation as bytes: sealed with a digest over all of it, and read again with every index,
 * count and order checked. The same policy gives the same bytes everywhere.
 */
#ifndef SEKISHO_POLICY_IR_SEAL_H
#define SEKISHO_POLICY_IR_SEAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/bytes.h"
#include "appliance/base/err.h"

struct arena;
struct ir;
struct ir_permit;

#define IR_SEALED_MAX (256u << 20)

/* Whether the bytes begin like a sealed generation. */
bool ir_is_sealed(struct bytes b);
/* Seals in the present version; the caller frees the bytes. Sets ir->digest and ir->version. */
int ir_seal(struct ir *ir, uint8_t **ret, size_t *ret_n, struct err *e);
/* Reads sealed bytes into the arena, and checks the digest and every index, count and order.
 * -ENOTSUP: another version of Sekisho sealed them, in a form that this one does not read. */
int ir_unseal(struct bytes b, struct arena *a, struct ir *ret, struct err *e);
/* Writes a permit's settings as bytes: its rows of objects.def except the identity, in sealed
 * form. */
void ir_put_settings(struct outbuf *o, const struct ir_permit *p);
#define IR_SETTINGS_MAX 128u /* room for the settings, in bytes */

#endif
