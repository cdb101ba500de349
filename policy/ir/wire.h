/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of a sealed generation: constants that its writer and its reader share.
 *
 * The rule IR as canonical bytes: big-endian, no padding, counts before lists, lengths before
 * strings. Nothing in it depends on the machine, the clock or the box's permit ids.
 *
 *   magic (8) . SHA-256 of all that follows (32) . version . the rows of `ir` in objects.def .
 *   command table image
 *
 * The present version is written. All versions since the first are read, since a box boots with
 * what an older release sealed: each row names the version that introduced it. The first is that of
 * the first release.
 */
#ifndef SEKISHO_POLICY_IR_WIRE_H
#define SEKISHO_POLICY_IR_WIRE_H

#define IR_MAGIC "SEKISHO1"
#define IR_MAGIC_SIZE 8u
#define IR_HEADER 40u /* magic and digest */
#define IR_VERSION_FIRST 1u
#define IR_VERSION 1u
#define IR_STRING_MAX 65535u   /* names, labels, purposes; bytes */
#define IR_TEXT_MAX (4u << 20) /* one source text; bytes */

#endif
