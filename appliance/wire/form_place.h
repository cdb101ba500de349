/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a worker's forms of verdicts lie (appliance/worker/form.h): agreed between who writes them and who shuts the sandbox, whose
 * rules compare addresses. Below 4 GiB, where no library, stack or heap of a program of 64 bits lies.
 */
#ifndef SEKISHO_WIRE_FORM_PLACE_H
#define SEKISHO_WIRE_FORM_PLACE_H

#include <stdint.h>

#define FORM_PLACE UINT64_C(0x10000000) /* a multiple of FORM_ROOM */
/* Bytes, a power of two: heads of messages and nothing else; behind the last are zeroes. */
#define FORM_ROOM UINT64_C(0x80000)
#define FORM_STEP UINT64_C(0x40) /* bytes from head to head, a power of two */

/* (address & FORM_MASK) == FORM_PLACE for addresses where a head begins and for no other. */
#define FORM_MASK (~(FORM_ROOM - 1u) | (FORM_STEP - 1u))
/* What the heads point to lies behind them: it must never be taken for a head. */
#define FORM_PARTS (FORM_PLACE + FORM_ROOM)
/* What a process may unmap or change lies from here on. */
#define FORM_ABOVE UINT64_C(0x100000000)

#endif
