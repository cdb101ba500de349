/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages of OPC UA over TCP, and the chunks that carry them. Part of the OPC UA enforcer, used by
 * nobody else. Pure; knows no policy.
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
#ifndef SEKISHO_DPI_OPCUA_CHUNK_H
#define SEKISHO_DPI_OPCUA_CHUNK_H

#include "dpi/protocol.h"

#define OPCUA_HEADER 8u
/* Largest message of a client with all its chunks. Chunks of 8,192 bytes must be accepted (OPC
 * 10000-6, 7.1.2.3); clients name hundreds of nodes in one request, with some 60 bytes each. */
#define OPCUA_PDU_MAX 65536u
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

#endif
