/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The encapsulation: a header of 24 bytes, and for what carries CIP a list of items behind it (volume 2, chapter 2). Part of the
 * EtherNet/IP enforcer, used by nobody else. Pure.
 */
#ifndef SEKISHO_DPI_ENIP_ENCAP_H
#define SEKISHO_DPI_ENIP_ENCAP_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/bytes.h"

#define ENCAP_HEADER 24u

enum encap_command {
	ENCAP_NOP = 0x00,
	ENCAP_LIST_ADDRESS =
		0x01, /* reserved for what is older; RSLinx begins sessions with it, and controllers answer */
	ENCAP_LIST_SERVICES = 0x04,
	ENCAP_LIST_IDENTITY = 0x63,
	ENCAP_LIST_INTERFACES = 0x64,
	ENCAP_REGISTER = 0x65,
	ENCAP_UNREGISTER = 0x66,
	ENCAP_REQUEST = 0x6f, /* SendRRData */
	ENCAP_UNIT = 0x70,    /* SendUnitData */
	ENCAP_INDICATE_STATUS = 0x72,
	ENCAP_CANCEL = 0x73,
};

struct encap {
	uint16_t command;
	uint16_t length; /* of the data */
	uint32_t handle; /* of the session */
	uint32_t status;
	uint64_t context; /* the asker's; an answer repeats it */
	uint32_t options;
	struct bytes data;
};

/* What the items hold. */
struct encap_items {
	uint32_t connection; /* of connected data */
	uint16_t sequence;
	struct bytes message; /* CIP; of a datagram the process's data */
	bool elsewhere;	      /* an address for I/O names a host, and not a group or whoever asks */
};

bool encap_command_known(uint16_t command);
/* `pdu` is one whole message. */
bool encap_read(struct bytes pdu, struct encap *ret);
/* An unconnected message: a null address and the data; behind them addresses for I/O. False: the items are not exactly these. */
bool encap_unconnected(struct bytes data, struct encap_items *ret);
/* A connected one: a connection's number, and data that begin with their sequence number. */
bool encap_connected(struct bytes data, struct encap_items *ret);
/* A datagram of an I/O connection: two items alone (volume 2, 2-6), its number with how many there were, and data. */
bool encap_io(struct bytes datagram, struct encap_items *ret);
/* Whether a datagram begins like that and not with a command. */
bool encap_is_io(struct bytes datagram);
/* Who is there is answered, in a header that says that nothing follows it. */
bool encap_says_nothing(struct bytes pdu);
/* The list of an answer to one of the List commands. */
bool encap_is_list(struct bytes data);

#endif
