/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a receiver of Modbus RTU or ASCII reads in the client's bytes: gateways that pass on to a serial line whatever TCP brings, and
 * servers that are set to that framing. Neither minds the header of Modbus/TCP; a request to them is what has its check right. So until
 * it is known that the server reads Modbus/TCP, the bytes are searched for such requests at every place, across requests, segments
 * and datagrams, and each must be allowed. What is such a request and nothing else is told as that.
 *
 * Part of the Modbus enforcer, used by nobody else. Pure.
 */
#ifndef SEKISHO_DPI_MODBUS_SERIAL_H
#define SEKISHO_DPI_MODBUS_SERIAL_H

#include "appliance/wire/evaluate.h"
#include "dpi/protocol.h"

#define SERIAL_MAX                                                                                                     \
	256u /* bytes of a frame, those of its check among them; in ASCII there is no room for more within a PDU */

struct modbus_serial {
	uint8_t reads; /* enum serial_reads */
	uint8_t n;
	uint8_t tail[SERIAL_MAX - 1u]; /* the client's last bytes */
};

/*
 * New bytes of a segment or of a datagram; `begins`: with a request. False: some such receiver finds a request that is not allowed, or all
 * of it is one. *ret says which and, by `reading`, whether it may be one of Modbus/TCP as well.
 */
bool modbus_serial_judge(struct modbus_serial *s, bool begins, struct bytes b, const struct command_table *t,
			 const struct command_permit *p, struct pdu *ret);
/* The first answer in Modbus/TCP to a request that was allowed tells how its server reads, unless it could be one in RTU. */
void modbus_serial_answered(struct modbus_serial *s, uint16_t tid);

#endif
