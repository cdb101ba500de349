/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A question about one packet, and the answer as the kernel's maps give it.
 */
#ifndef SEKISHO_POLICY_IR_EVALUATE_H
#define SEKISHO_POLICY_IR_EVALUATE_H

#include <stdint.h>

#include "appliance/base/addr.h"

struct ir;
struct ir_cell;

struct question {
	/* interface roles; NULL = any (replay: zones from addresses alone) */
	const char *iif, *oif;
	struct addr source, destination;
	uint8_t l4proto; /* 1 and 58 for ICMP */
	uint16_t port;	 /* destination port, or ICMP type << 8 | code */
	uint64_t now;	 /* seconds since 1970 */
};

/* The IR's answer: the cell that decides, or NULL = denied. */
const struct ir_cell *evaluate_ir(const struct ir *ir, const struct question *q);

#endif
