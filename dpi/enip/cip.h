/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CIP requests: service, path and data, taken apart into operations; what is inside of a Multiple Service Packet and behind an
 * Unconnected Send too. Lengths agree exactly, or the request is none. Part of the EtherNet/IP enforcer, used by nobody else. Pure.
 */
#ifndef SEKISHO_DPI_ENIP_CIP_H
#define SEKISHO_DPI_ENIP_CIP_H

#include "dpi/enip/path.h"
#include "dpi/protocol.h"

#define CIP_REPLY 0x80u /* bit of a service that says so */

#define CLASS_MESSAGE_ROUTER 0x02u
#define CLASS_CONNECTION_MANAGER 0x06u
#define CLASS_PCCC 0x67u

#define SERVICE_MULTIPLE 0x0au
#define SERVICE_FORWARD_CLOSE 0x4eu
#define SERVICE_UNCONNECTED_SEND 0x52u
#define SERVICE_FORWARD_OPEN 0x54u
#define SERVICE_LARGE_FORWARD_OPEN 0x5bu

enum enip_transport {
	TRANSPORT_REQUESTS, /* carries CIP requests */
	TRANSPORT_IO,	    /* carries the process's data over UDP */
	TRANSPORT_OTHER,
};

/* Who opened a connection: by this its opening and closing belong together. */
struct enip_opener {
	uint32_t serial; /* of the device */
	uint16_t connection, vendor;
};

/* What a Forward Open asks for, or a Forward Close ends. */
struct enip_opening {
	struct enip_opener opener;
	uint32_t id;	/* target to originator: the originator says it */
	uint32_t route; /* as in struct enip_path */
	uint8_t transport;
	uint8_t multiplier; /* TRANSPORT_IO: 4 << so many intervals without a message end it */
	bool far;
	bool sends[2];	   /* by enum direction: whether there is that way, */
	uint16_t bytes[2]; /* ... and what a message holds at most, its sequence number with it */
};

#define CIP_EMPTY UINT16_MAX /* in the place of elements, of a part: a success has nothing to say */

enum cip_kind { CIP_PLAIN, CIP_OPENS, CIP_CLOSES };

/* What an answer to it must be. */
struct cip_asked {
	uint8_t kind;	 /* enum cip_kind */
	uint8_t service; /* of the answer; within an Unconnected Send the inner one */
	bool sent_on;	 /* within an Unconnected Send: the router may answer in its place */
	bool empty;	 /* a success has nothing to say */
	uint8_t parts;	 /* of a Multiple Service Packet */
	uint16_t
		elements; /* of a tag that is read; 0: nothing that bounds the answer; of several the most of any part, CIP_EMPTY apart */
	uint32_t digest; /* of their services */
	struct enip_opening opening;
};

/* Where a request goes before its own route says more. */
struct cip_way {
	uint32_t route;
	bool far;
};

/*
 * Adds the operations of one request to p, whose `wrong` says whether it makes sense. What it says of a request that makes none is
 * its first operation. Of a Multiple Service Packet the elements of each part, two bytes each, are left in p->joined.
 */
void cip_parse(struct bytes b, struct cip_way way, struct parsed *p, struct cip_asked *ret);
/* Digest of a part's service, for cip_asked.digest. */
uint32_t cip_digest(uint32_t digest, uint8_t service);
/* How long one value of an elementary type is, in bytes; 0 for others. *ret_number: whether it is a whole number that can be told. */
uint32_t cip_size_of_type(uint16_t type, bool *ret_number);
/* A request's class, as its code has it. */
uint32_t cip_code(uint16_t class, uint8_t service);
/* One operation that touches no address. */
struct operation *cip_plain_operation(struct parsed *p, uint32_t code, struct cip_way way);

#endif
