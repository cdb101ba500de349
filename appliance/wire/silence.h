/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long a UDP session may be silent before connection tracking, and so everybody, forgets it.
 * The box sets these in the kernel (box/sysctl.c), workers remember their flows as long, and replay
 * ends sessions by them.
 */
#ifndef SEKISHO_WIRE_SILENCE_H
#define SEKISHO_WIRE_SILENCE_H

/* Seconds. A session that was answered, and goes on more than SILENCE_NEW_S after it began, may be
 * silent for SILENCE_S, any other for SILENCE_FIRST_S. */
#define SILENCE_S 120
#define SILENCE_FIRST_S 15
#define SILENCE_NEW_S 2

#endif
