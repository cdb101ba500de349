/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The transport of S7 PDUs: packets of RFC 1006, each with one TPDU of ISO 8073 class 0.
 */
#ifndef SEKISHO_DPI_S7COMM_TRANSPORT_H
#define SEKISHO_DPI_S7COMM_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dpi/protocol.h"
#include "dpi/recognise.h"

/*
 * S7 bytes of the largest PDU. Controllers agree on 240, 480 or 960; snap7's server offers at most
 * 4096, which takes 64 fragments.
 */
#define S7_MESSAGE_MAX 4096u
#define S7_FRAGMENTS_MAX 64u
#define S7_DT_HEADER 7u /* packet header and DT header */
#define S7_PDU_MAX (S7_MESSAGE_MAX + S7_FRAGMENTS_MAX * S7_DT_HEADER)

enum tpdu {
	TPDU_ER = 0x70,
	TPDU_DR = 0x80,
	TPDU_CC = 0xd0,
	TPDU_CR = 0xe0,
	TPDU_DT = 0xf0,
};

/* a session whose connection request was not seen, or names no rack and slot */
#define SLOT_UNKNOWN 256u

/* One PDU without its lower layers. */
struct s7_unit {
	uint8_t tpdu;	    /* enum tpdu; TPDU_DT for a message */
	bool well_formed;   /* whether the TPDU is well-formed; if not, only `tpdu` is valid */
	uint16_t to, from;  /* references; CR, CC, DR */
	uint16_t slot;	    /* CR: rack * 32 + slot of the called TSAP, or SLOT_UNKNOWN */
	uint32_t fragments; /* number of DT TPDUs with data */
	/* DT: the S7 bytes; empty in the acknowledgements that STEP 7 sends */
	struct bytes message;
};

enum frame_result s7_frame(struct bytes head, size_t *ret_len);
/*
 * Reads one whole PDU. `joined` has room for S7_MESSAGE_MAX bytes, in which fragmented messages are
 * reassembled; NULL: messages are never fragmented.
 */
void s7_unwrap(struct bytes pdu, uint8_t *joined, struct s7_unit *ret);

#endif
