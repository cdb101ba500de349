/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bond connects flows of one pair of hosts: one flow opens a connection, and another one uses
 * it. For example, CIP data over UDP belong to a connection that was opened over TCP. struct bond
 * is what a PDU says about such a connection; most PDUs have none. See dpi/inspect/companion.h.
 */
#ifndef SEKISHO_DPI_BOND_H
#define SEKISHO_DPI_BOND_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/bytes.h"

enum bond_kind {
	BOND_NONE,
	/* a request that opens `key` for its operations, once it is allowed and answered */
	BOND_ASKS,
	/* an answer that opens `key`. Data in a direction carry id[direction]. The connection ends
	 * after `silent_ms` without use */
	BOND_OPENS,
	BOND_CLOSES, /* a request or answer that closes `key` */
	/* a datagram with bytes[0] bytes of data for the connection id[0]. It is judged like the
	 * request that opened the connection; its own operation is only for records */
	BOND_USES,
};

struct bond {
	uint8_t kind; /* enum bond_kind */
	/* the connection survives the end of the flow that opened it, as long as it is used */
	bool stays;
	bool sends[2]; /* the connection carries data in this direction */
	uint32_t id[2];
	/* by direction: the largest number of data bytes in a datagram, as the opening
	 * request says */
	uint32_t bytes[2];
	uint64_t key; /* unique among the open connections of this pair of hosts in this protocol */
	uint64_t silent_ms;
};

#endif
