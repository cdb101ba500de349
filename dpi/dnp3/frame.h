/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Link frames of DNP3, and the segments in them that make a fragment. Part of its enforcer, used by
 * nobody else. Pure; knows no policy.
 *
 *   frame (IEEE 1815, clause 9)     05 64, length of what follows without checksums (5 to 255),
 *                                   control, destination, source (2 bytes each, the low one
 *                                   first), checksum; data in blocks of 16 bytes, a checksum
 *                                   behind each
 *   segment (clause 8)              FIN, FIR and a number of 6 bits, then a part of a fragment
 *   fragment (clause 4)             FIR, FIN, CON, UNS and a number of 4 bits, function; of a
 *                                   response two bytes of indications; objects
 *
 * A PDU is a frame that says something of the link alone, or all frames of a fragment. Frames of
 * the link alone may stand between these. Over UDP a datagram has whole frames, and a response may
 * take several datagrams; a request may not.
 */
#ifndef SEKISHO_DPI_DNP3_FRAME_H
#define SEKISHO_DPI_DNP3_FRAME_H

#include "dpi/protocol.h"

#define DNP3_HEADER 10u
#define DNP3_FRAME_MAX 292u
#define DNP3_SEGMENT_MAX 249u /* behind its octet */
/* Fragments are 2,048 bytes at most where nobody set more (clause 4). */
#define DNP3_FRAGMENT_MAX 2048u
#define DNP3_FRAMES_MAX 16u /* of a fragment, also where a device fills half of a frame only */
#define DNP3_PDU_MAX (DNP3_FRAMES_MAX * DNP3_FRAME_MAX)

/* Bits of a control octet (clause 9). */
#define DNP3_DIR 0x80u
#define DNP3_PRM 0x40u
#define DNP3_LINK_FUNCTION 0x0fu
#define DNP3_LINK_CONFIRMED 3u /* data that the link layer confirms */

/* Bits of a segment's octet (clause 8). */
#define DNP3_SEGMENT_FIN 0x80u
#define DNP3_SEGMENT_FIR 0x40u
#define DNP3_SEGMENT_NUMBER 0x3fu

struct dnp3_unit {
	uint8_t control; /* of the first frame with data, or of the only one */
	uint16_t to, from;
	bool data;	     /* there is a fragment, or a part of one */
	bool begins, ends;   /* its first, its last segment is here */
	uint8_t first, last; /* numbers of the first and last segment here */
	struct bytes fragment;
};

/* As an enforcer's frame. */
enum frame_result dnp3_frame(bool datagrams, struct bytes head, size_t *ret_len);
/* Takes a whole PDU apart; `joined` has room for DNP3_FRAGMENT_MAX bytes, in which the
 * fragment lies. */
bool dnp3_unwrap(bool datagrams, struct bytes pdu, uint8_t *joined, struct dnp3_unit *ret);
/* Takes one whole frame apart whose segment is not a fragment by itself, as if it were one;
 * `joined` has room for DNP3_SEGMENT_MAX bytes. False: it is a whole fragment, or has no data. */
bool dnp3_segment_alone(struct bytes frame, uint8_t *joined, struct dnp3_unit *ret);
/* The length of the frame that begins at `head`: whether it is whole and its checksums
 * are right. */
enum frame_result dnp3_link_frame(struct bytes head, size_t *ret_len);
/* Whether a header with its checksum begins at `head`; with fewer bytes than one, false. */
bool dnp3_is_header(struct bytes head);
/* The checksum of these bytes. */
uint16_t dnp3_crc(const uint8_t *p, size_t n);

#endif
