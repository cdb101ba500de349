/* SPDX-License-Identifier: Apache-2.0 */
/* The address spaces of Modbus, in the order of the table in words.c, and the size of a
 * FIFO queue. */
#ifndef SEKISHO_DPI_MODBUS_WORDS_H
#define SEKISHO_DPI_MODBUS_WORDS_H

enum modbus_space { MODBUS_COILS = 0, MODBUS_DISCRETE = 1, MODBUS_INPUT = 2, MODBUS_HOLDING = 3 };

/* registers that reading a FIFO queue touches: its count and its entries */
#define MODBUS_QUEUE 32u

#endif
