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
 * A PDU is either one frame of a link layer service, or all frames of a fragment. Frames of link
 * layer services may stand between the latter. Over UDP a datagram has whole frames, and a response
 * may take several datagrams; a request may not.
 */
#ifndef SEKISHO_DPI_DNP3_FRAME_H
#define SEKISHO_DPI_DNP3_FRAME_H

#include "dpi/protocol.h"

#define DNP3_HEADER 10u
#define DNP3_FRAME_MAX 292u
#define DNP3_SEGMENT_MAX 249u /* bytes of a segment after its octet */
/* Fragments are 2,048 bytes at most where nobody set more (clause 4). */
#define DNP3_FRAGMENT_MAX 2048u
/* frames of one fragment; enough even for a device that puts only 128 bytes into a frame */
#define DNP3_FRAMES_MAX 16u
#define DNP3_PDU_MAX (DNP3_FRAMES_MAX * DNP3_FRAME_MAX)

/* Bits of a control octet (clause 9). */
#define DNP3_DIR 0x80u
#define DNP3_PRM 0x40u
#define DNP3_LINK_FUNCTION 0x0fu
#define DNP3_LINK_CONFIRMED 3u /* user data that the link layer has to confirm */

/* Bits of a segment's octet (clause 8). */
#define DNP3_SEGMENT_FIN 0x80u
#define DNP3_SEGMENT_FIR 0x40u
#define DNP3_SEGMENT_NUMBER 0x3fu

struct dnp3_unit {
	uint8_t control; /* control octet of the first frame with data, or of the only frame */
	uint16_t to, from;
	bool data;	     /* there is a fragment, or a part of one */
	bool begins, ends;   /* the fragment's first segment is here; its last one is here */
	uint8_t first, last; /* numbers of the first and last segment here */
	struct bytes fragment;
};

/* Implements `frame` of struct enforcer. */
enum frame_result dnp3_frame(bool datagrams, struct bytes head, size_t *ret_len);
/* Reads a whole PDU. The fragment is put together in `joined`, which has room for DNP3_FRAGMENT_MAX
 * bytes. */
bool dnp3_unwrap(bool datagrams, struct bytes pdu, uint8_t *joined, struct dnp3_unit *ret);
/* Reads one whole frame whose segment is only a part of a fragment, as if it were a whole one.
 * `joined` has room for DNP3_SEGMENT_MAX bytes. False: the frame has a whole fragment, or no
 * data. */
bool dnp3_segment_alone(struct bytes frame, uint8_t *joined, struct dnp3_unit *ret);
/* Finds the end of the frame at `head`, and checks its checksums. */
enum frame_result dnp3_link_frame(struct bytes head, size_t *ret_len);
/* Whether a complete link header with a valid checksum begins at `head`. */
bool dnp3_is_header(struct bytes head);
/* The checksum of these bytes. */
uint16_t dnp3_crc(const uint8_t *p, size_t n);

#endif
