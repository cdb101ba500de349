/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The addresses of a worker's forms of verdicts (appliance/worker/form.h), for the code that writes
 * them and for the sandbox, whose rules compare addresses. They are below 4 GiB, where no library,
 * stack or heap of a 64-bit program is mapped.
 */
#ifndef SEKISHO_WIRE_FORM_PLACE_H
#define SEKISHO_WIRE_FORM_PLACE_H

#include <stdint.h>

#define FORM_PLACE UINT64_C(0x10000000) /* a multiple of FORM_ROOM */
/* Bytes for heads of messages, a power of two. The bytes after the last head are zeros. */
#define FORM_ROOM UINT64_C(0x80000)
#define FORM_STEP UINT64_C(0x40) /* bytes from head to head, a power of two */

/* (address & FORM_MASK) == FORM_PLACE holds exactly for addresses where a head begins. */
#define FORM_MASK (~(FORM_ROOM - 1u) | (FORM_STEP - 1u))
/* The data to which heads point come after all heads, so that data are never taken for a head. */
#define FORM_PARTS (FORM_PLACE + FORM_ROOM)
/* A process may unmap or change memory only from here on. */
#define FORM_ABOVE UINT64_C(0x100000000)

#endif
