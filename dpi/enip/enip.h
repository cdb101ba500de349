/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The EtherNet/IP enforcer (The CIP Networks Library, volumes 1 and 2): sessions over TCP with
 * unconnected and connected requests; the List commands, over UDP as well; and I/O data over UDP,
 * for connections that were opened over TCP (struct bond).
 *
 * All lengths of a message must agree, or it is refused: those of the header, the items, the CIP
 * path and data, the parts of a Multiple Service Packet, and the request in an Unconnected Send.
 * Each service in a message is one operation. Its target is the route to the device, which comes
 * from an Unconnected Send or from the path of the connection. A connected request is read
 * according to the purpose for which its connection was opened. An answer must fit a waiting
 * request. The enforcer owns nothing but the flow's inline state, and never sees packets, time or
 * other flows.
 */
#ifndef SEKISHO_DPI_ENIP_ENIP_H
#define SEKISHO_DPI_ENIP_ENIP_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/bytes.h"
#include "dpi/enip/cip.h"
#include "dpi/judge.h"
#include "dpi/pending.h"
#include "dpi/protocol.h"
#include "dpi/recognise.h"

#define ENIP_PDU_MAX 4608u	/* bytes: large connections of controllers carry 4,002 */
#define ENIP_OPEN_MAX 12u	/* requests that may wait for their answers in one flow */
#define ENIP_CONNECTIONS_MAX 8u /* connections for requests that one session may have */
#define ENIP_IO_MAX 32u		/* connections for I/O whose originator is remembered in one flow */

/* ---- the encapsulation ----------------------------------------------------------------------- */

/* The encapsulation: a header of 24 bytes, followed in commands that carry CIP by a list of items
 * (volume 2, chapter 2). */

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
/* Whether `pdu` has a header that announces no data, as in an empty answer to ListIdentity. */
bool encap_says_nothing(struct bytes pdu);
/* Whether `data` has the form of an answer to one of the List commands. */
bool encap_is_list(struct bytes data);

/* ---- the state of a flow --------------------------------------------------------------------- */

/* What the EtherNet/IP enforcer remembers of a flow: its session, the connections that were opened
 * through it, and requests that wait for their answers as in dpi/pending.h. */

/* Made by `parse`, taken by `asked`, and kept in the open request. */
struct enip_asked {
	uint64_t context;
	struct cip_asked cip;
	uint32_t connection; /* connection id of a connected message */
	uint16_t command;
	uint16_t sequence;
};

struct enip_open {
	struct pending_entry wait;
	uint32_t service;
	struct enip_asked what;
	uint64_t address; /* first address of the request, for the record of its answer */
	uint32_t quantity;
	uint32_t route;
	uint8_t space;
	/* the parts of a Multiple Service Packet: index in `parts`, and how many are known, from
	 * the first one on */
	uint8_t parts_at, n_parts;
};

struct enip_connection {
	/* connection ids: from originator to target, chosen by the target; from target
	 * to originator */
	uint32_t out, in;
	struct enip_opener opener;
	uint32_t route;
	uint8_t transport; /* enum enip_transport; TRANSPORT_IO has a list of its own */
	bool far;
};

#define ENIP_PARTS_KEPT 96u /* parts of all waiting Multiple Service Packets together */
/* bytes of a header that may be in the preceding segment; a whole header is one byte longer */
#define ENIP_TAIL 23u

enum enip_session { SESSION_NONE, SESSION_ASKED, SESSION_OPEN, SESSION_UNSEEN };

struct enip_state {
	struct pending wait;
	/* enum enip_session; SESSION_UNSEEN: its beginning may have been missed */
	uint8_t session;
	uint8_t lenient; /* LENIENT_* that held for the client's last bytes */
	bool datagrams;	 /* over UDP, which has no sessions: only the List commands */
	bool missed;	 /* bytes were missed, so connections may have been opened unseen */
	bool cut;	 /* a request came in pieces, so a server may be out of step */
	bool idled;	 /* the client has sent a NOP */
	/* `tail` holds the last bytes of the latest whole message since the NOP */
	bool has_tail;
	uint8_t tail[ENIP_TAIL];
	uint32_t tail_end; /* stream offset after the kept bytes */
	uint32_t handle;
	uint32_t n_connections;
	struct enip_connection connections[ENIP_CONNECTIONS_MAX];
	uint32_t n_io;
	/* the originators of I/O connections, to check a Forward Close; companion.h checks the
	 * I/O data */
	struct enip_opener io[ENIP_IO_MAX];
	uint32_t n_parts;
	/* in this array and the next one, only entries in use have a meaning */
	struct enip_open open[ENIP_OPEN_MAX];
	/* struct cip_asked.elements of each part, in the order of the requests */
	uint16_t parts[ENIP_PARTS_KEPT];
};

/* The connection with this id from originator to target; NULL when there is none. */
const struct enip_connection *enip_connection_out(const struct enip_state *s, uint32_t number);
const struct enip_connection *enip_connection_of(const struct enip_state *s, const struct enip_opener *opener);
bool enip_has_io(const struct enip_state *s, const struct enip_opener *opener);
/* Digest of the originator of a connection. */
uint64_t enip_opener_key(const struct enip_opener *opener);
/* The enforcer's `frame` and `answered`, see dpi/protocol.h. */
enum frame_result enip_frame(const void *state, enum direction dir, struct bytes head, size_t *ret_len);
void enip_answered(void *state, struct bytes pdu, const struct allowance *by, struct pdu *ret);
/* The enforcer's `once`, `keep`, `again`, `segment` and `repeat`. */
bool enip_once(const void *state, struct bytes request, struct bytes answer, struct once_template *ret);
bool enip_keep(const void *state, struct outbuf *to);
bool enip_again(void *state, struct bytes kept);
bool enip_segment(void *state, uint64_t offset, size_t carried, bool late, struct bytes b, const struct allowance *by,
		  struct pdu *ret);
bool enip_repeat(void *state, uint64_t offset, size_t carried, size_t length, bool late, struct bytes b,
		 const struct allowance *by, struct pdu *ret);

#endif
