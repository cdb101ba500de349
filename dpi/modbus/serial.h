/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Searches the client's bytes for requests in the framing of Modbus RTU and ASCII. Some gateways
 * pass all TCP bytes on to a serial line, and some servers are configured for that framing. They
 * do not know the header of Modbus/TCP; for them, any bytes with the right checksum are a
 * request. So until it is known that the server reads Modbus/TCP, the bytes are searched for such
 * requests at every position, across requests, segments and datagrams, and each request must be
 * allowed. Bytes that are such a request and nothing else are reported as a request.
 */
#ifndef SEKISHO_DPI_MODBUS_SERIAL_H
#define SEKISHO_DPI_MODBUS_SERIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/bytes.h"
#include "dpi/protocol.h"

struct command_permit;
struct command_table;

/* bytes of a frame, including its checksum; a longer ASCII frame does not fit in a PDU */
#define SERIAL_MAX 256u

enum serial_reads {
	READS_UNTOLD,
	READS_TCP, /* the server has shown that it reads Modbus/TCP */
	/* the first answer could also be an RTU answer, so later answers prove nothing */
	READS_EITHER,
};

struct modbus_serial {
	uint8_t reads; /* enum serial_reads */
	uint8_t n;
	uint8_t tail[SERIAL_MAX - 1u]; /* the client's last bytes */
};

/*
 * Judges new bytes of a segment or of a datagram. `begins`: they begin with a request. False: a
 * receiver of RTU or ASCII frames would find a request that is not allowed, or the bytes are one
 * such request. *ret then has that request; `reading` is set if the bytes may also be Modbus/TCP.
 */
bool modbus_serial_judge(struct modbus_serial *s, bool begins, struct bytes b, const struct allowance *by,
			 struct pdu *ret);
/* The first Modbus/TCP answer to an allowed request shows how the server reads, unless the answer
 * could also be RTU. */
void modbus_serial_answered(struct modbus_serial *s, uint16_t tid);

#endif
