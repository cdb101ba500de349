/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The encapsulation: a header of 24 bytes, followed in commands that carry CIP by a list of items
 * (volume 2, chapter 2). Part of the EtherNet/IP enforcer, used by nobody else. Pure.
 */
#ifndef SEKISHO_DPI_ENIP_ENCAP_H
#define SEKISHO_DPI_ENIP_ENCAP_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/bytes.h"

#define ENCAP_HEADER 24u

enum encap_command {
	ENCAP_NOP = 0x00,
	/* reserved for older versions of the protocol; RSLinx begins sessions with it, and
	 * controllers answer it */
	ENCAP_LIST_ADDRESS = 0x01,
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
	uint64_t context; /* chosen by the sender of a request; the answer repeats it */
	uint32_t options;
	struct bytes data;
};

/* The contents of the list of items. */
struct encap_items {
	uint32_t connection; /* connection id of connected data */
	uint16_t sequence;
	struct bytes message; /* a CIP message; in a datagram, I/O data */
	/* an address item for I/O names a third host, neither a multicast group nor the sender of
	 * the request */
	bool elsewhere;
};

bool encap_command_known(uint16_t command);
/* Reads the header of `pdu`, which is one whole message. False: it is malformed. */
bool encap_read(struct bytes pdu, struct encap *ret);
/* Reads the items of an unconnected message: a null address, the data, and optional address items
 * for I/O. False: the items are not exactly these. */
bool encap_unconnected(struct bytes data, struct encap_items *ret);
/* Reads the items of a connected message: a connection id, and data that begin with a
 * sequence number. */
bool encap_connected(struct bytes data, struct encap_items *ret);
/* Reads a datagram of an I/O connection (volume 2, 2-6). It has two items: the connection id with a
 * sequence number, and the data. */
bool encap_io(struct bytes datagram, struct encap_items *ret);
/* Whether a datagram begins like an I/O datagram, and not like an encapsulation command. */
bool encap_is_io(struct bytes datagram);
/* Whether `pdu` has a header that announces no data, as in an empty answer to ListIdentity. */
bool encap_says_nothing(struct bytes pdu);
/* Whether `data` has the form of an answer to one of the List commands. */
bool encap_is_list(struct bytes data);

#endif
