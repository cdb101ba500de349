/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The enforcer of OPC UA, binary over TCP.
 *
 * A client says hello, opens a secure channel and sends requests over it. In a channel without
 * security each request is read: service, nodes, attributes, values. Contents of a channel with
 * security can be read only by its ends; they pass only if a row names the channel's security
 * policy. An answer must belong to an open request by number and service. Sequence numbers must be
 * consecutive. The enforcer owns nothing but the flow's inline state, and never sees packets, time
 * or other flows.
 */
#ifndef SEKISHO_DPI_OPCUA_OPCUA_H
#define SEKISHO_DPI_OPCUA_OPCUA_H

#include "appliance/wire/operation.h"
#include "dpi/judge.h"
#include "dpi/pending.h"
#include "dpi/protocol.h"
#include "dpi/recognise.h"

/* Requests that may wait for their answers in one flow. Clients keep many Publish requests waiting:
 * the stack of node-opcua up to 104. */
#define OPCUA_OPEN_MAX 160u

/* ---- messages and chunks --------------------------------------------------------------------- */

/*
 * Messages of OPC UA over TCP, and the chunks that carry them.
 *
 *   header (OPC 10000-6, 7.1.2.2)     three letters, F, C or A, size of the whole chunk (4)
 *   HEL, ACK, ERR, RHE (7.1.2.3-6)    their fields
 *   OPN (6.7.2.2, 6.7.2.3)            channel (4); policy URI, certificate, thumbprint; sequence
 *                                     number (4), request (4)
 *   MSG, CLO (6.7.2.2, 6.7.2.3)       channel (4); token (4); sequence number (4), request (4)
 *
 * Numbers have the low byte first; (4) = bytes. With a security policy, everything from the
 * sequence number on may be encrypted, and a signature follows.
 */

#define OPCUA_HEADER 8u
/* Largest message of a client with all its chunks. Chunks of 8,192 bytes must be accepted (OPC
 * 10000-6, 7.1.2.3); clients name a thousand nodes in one request, with some 80 bytes each. */
#define OPCUA_PDU_MAX ENFORCER_PDU_MAX
#define OPCUA_OPEN_CHUNK_MAX 16384u /* largest chunk that opens or closes a channel */
#define OPCUA_WHOLE_MAX 16384u	    /* largest chunk of a server that is judged as one PDU */
#define OPCUA_PIECE 8192u	    /* PDU size into which a longer one is cut */
#define OPCUA_CHUNK_MAX 0x100000u   /* largest chunk of a server */
#define OPCUA_URL_MAX 4096u	    /* bytes of an endpoint URL in a hello (OPC 10000-6, 7.1.2.3) */

enum opcua_kind {
	OPCUA_NO_KIND,
	OPCUA_HELLO,
	OPCUA_ACKNOWLEDGE,
	OPCUA_ERROR,
	OPCUA_REVERSE_HELLO,
	OPCUA_OPEN,
	OPCUA_MESSAGE,
	OPCUA_CLOSE,
	OPCUA_KINDS,
};

struct opcua_chunk {
	uint8_t kind;  /* enum opcua_kind */
	uint8_t chunk; /* 'F', 'C', 'A' */
	/* the size that the chunk states; only a part of a server's chunk may be here */
	uint32_t size;
	uint32_t channel; /* OPN, MSG, CLO */
	uint32_t token;	  /* MSG, CLO */
	uint8_t policy;	  /* OPN: number of the security policy (policies.def) */
	/* OPN: of the sender's certificate, the first 63 bits of its thumbprint, which is the
	 * SHA-1 of its DER form (OPC 10000-6, 6.2.2); 0 = there is none */
	uint64_t certificate;
	struct bytes body; /* what follows; the sequence header, if there is one, belongs to it */
};

/* The sequence header of a chunk, if it is readable (OPC 10000-6, 6.7.2.4). */
struct opcua_numbers {
	uint32_t sequence, request;
};

/* Finds the end of the first message in `head`. Without security, a client's message includes all
 * its chunks. */
enum frame_result opcua_frame(struct bytes head, enum direction dir, bool together, size_t *ret_len);
/* Takes the first chunk off `b`. False: it is malformed. */
bool opcua_chunk_take(struct bytes *b, struct opcua_chunk *ret);
/* Takes the sequence header off a chunk's body. */
bool opcua_numbers_take(struct bytes *body, struct opcua_numbers *ret);
/* Whether `next` follows `n` (OPC 10000-6, 6.7.2.4: by one; above 4,294,966,271 it may begin anew
 * below 1,024). */
bool opcua_follows(uint32_t n, uint32_t next);
/* Whether the fields of a hello, acknowledge, error or reverse hello fill the chunk exactly. */
bool opcua_says_fits(const struct opcua_chunk *c);

/* ---- built-in types -------------------------------------------------------------------------- */

/* The built-in types of OPC UA in their binary encoding (OPC 10000-6, 5.1 and 5.2). Each function
 * reads one value from *b; false: it is malformed, and `b` has failed. */

/* Nesting of Variants, and of DiagnosticInfo. OPC 10000-6 allows 100 levels (5.1.8), but no device
 * sends as many. */
#define OPCUA_DEPTH_MAX 8u

struct opcua_node {
	/* its identifier is numeric, and it names neither a namespace URI nor a server */
	bool number;
	bool null;	/* 0 in namespace 0 */
	uint64_t place; /* namespace and identifier */
};

/* Reads a String, ByteString or XmlElement. A null string is returned as empty. */
bool opcua_string(struct bytes *b, struct bytes *ret);
/* Reads the number of elements of an array, which is never more than the remaining bytes. */
bool opcua_count(struct bytes *b, uint32_t *ret);
/* `expanded`: reads an ExpandedNodeId, which may also name a namespace URI or a server. If it does,
 * ret->number is false. */
bool opcua_node(struct bytes *b, bool expanded, struct opcua_node *ret);
bool opcua_qualified_name(struct bytes *b);
bool opcua_localized_text(struct bytes *b);
/* *bodies becomes true if a body was skipped whose end its type does not determine, because servers
 * may find another end than the one that its length says. */
bool opcua_extension(struct bytes *b, bool *bodies);
bool opcua_diagnostic(struct bytes *b);
/* *ret: the number in the Variant (docs/protocols/opcua.md), or VALUES_UNKNOWN. */
bool opcua_variant(struct bytes *b, struct values *ret, bool *bodies);
bool opcua_data_value(struct bytes *b, struct values *ret, bool *bodies);

/* ---- requests -------------------------------------------------------------------------------- */

/* Reads requests into operations, by the table services.def. */

/* Reads the node id of a service, in namespace 0 (OPC 10000-6, 5.2.2.9). False: there is no such
 * node id. */
bool opcua_service_take(struct bytes *body, uint32_t *ret);
/* The service of the request that an answer of this service belongs to; 0: not known. */
uint32_t opcua_service_of_answer(uint32_t service);
/* The service of the answer to a request; 0: not known. */
uint32_t opcua_answer_of_service(uint32_t service);
/*
 * Reads a request into ret->operations, whose values point into `body`. `body` begins with the node
 * id of the service, and has the whole request. `policy`: number of the channel's security policy.
 */
void opcua_request_parse(struct bytes body, uint8_t policy, struct parsed *ret);
/* Whether `body`, the beginning of a message, is already a complete request. */
bool opcua_request_is_whole(struct bytes body);
/* Reads the header of a request, after the node id of its service. */
bool opcua_request_header_take(struct bytes *b);
/* Reads the header of an answer. *ret_bad: the answer reports an error. */
bool opcua_answer_header_take(struct bytes *b, bool *ret_bad);
/* An operation that has only a code and a security policy. */
struct operation opcua_operation(uint32_t service, uint8_t policy);

/* ---- the state of a flow --------------------------------------------------------------------- */

/* What the OPC UA enforcer remembers of a flow. Requests wait for their answers as in
 * dpi/pending.h. */

struct opcua_open {
	struct pending_entry wait;
	uint32_t request; /* the number of the request */
	uint32_t service : 31;
	uint32_t begun : 1; /* a part of the answer has come */
};

/* The state of a connection (OPC 10000-6, 7.1.3). */
enum opcua_phase {
	OPCUA_FRESH,
	OPCUA_GREETED, /* the client said hello */
	OPCUA_READY,   /* ... and was acknowledged */
	OPCUA_OPENING, /* the client has requested a channel */
	OPCUA_OPENED,
	OPCUA_CLOSED,
	OPCUA_ANY, /* met half-way: earlier messages are not known */
};

struct opcua_state {
	struct pending wait;
	uint8_t phase;	      /* enum opcua_phase */
	uint8_t policy;	      /* of the channel; OPCUA_POLICY_UNKNOWN: none is open */
	bool met;	      /* bytes went by unseen */
	bool channel_known;   /* `channel`, `token` and `tokens` are known */
	uint8_t tokens;	      /* number of tokens that are known: the last, and the one before */
	bool counts[2];	      /* by direction: a sequence number is known */
	uint64_t certificate; /* of the client, as in struct opcua_chunk; 0: not known */
	uint32_t channel;
	uint32_t token[2];
	uint32_t sequence[2];
	/* remaining bytes of a server's long chunk, which are judged like its beginning */
	uint32_t rest, rest_function;
	uint8_t rest_reason;
	bool rest_allowed;
	struct opcua_open open[OPCUA_OPEN_MAX];
};

/* The enforcer's `segment`, see dpi/protocol.h. */
bool opcua_segment(void *state, uint64_t offset, size_t carried, bool late, struct bytes b, const struct allowance *by,
		   struct pdu *ret);

#endif
