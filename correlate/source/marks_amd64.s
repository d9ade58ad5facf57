#include "textflag.h"

// What a byte has to be, by its lower four bits: of e r s t; of C E M; of newline [ \ ]. 0xff is no byte's.
DATA small<>+0(SB)/8, $0xffff65747372ffff
DATA small<>+8(SB)/8, $0xffffffffffffffff
GLOBL small<>(SB), RODATA|NOPTR, $16
DATA capitals<>+0(SB)/8, $0xffff45ff43ffffff
DATA capitals<>+8(SB)/8, $0xffff4dffffffffff
GLOBL capitals<>(SB), RODATA|NOPTR, $16
DATA brackets<>+0(SB)/8, $0xffffffffffffffff
DATA brackets<>+8(SB)/8, $0xffff5d5c5b0affff
GLOBL brackets<>(SB), RODATA|NOPTR, $16
DATA brace<>+0(SB)/1, $0x7b
GLOBL brace<>(SB), RODATA|NOPTR, $1

// LOOK sets the bits of 32 bytes of text: in first those of e r s t, in second those of C E M, in bracket those of { [ \ ] and newline.
#define LOOK(at, first, second, bracket) \
	VMOVDQU   (at)(SI), Y4   \
	VPSHUFB   Y4, Y0, Y5     \
	VPCMPEQB  Y4, Y5, Y5     \
	VPMOVMSKB Y5, first      \
	VPSHUFB   Y4, Y1, Y6     \
	VPCMPEQB  Y4, Y6, Y6     \
	VPMOVMSKB Y6, second     \
	VPSHUFB   Y4, Y2, Y7     \
	VPCMPEQB  Y4, Y7, Y7     \
	VPCMPEQB  Y4, Y3, Y8     \
	VPOR      Y8, Y7, Y7     \
	VPMOVMSKB Y7, bracket

// PLACE writes down the place of the lowest bit of R8, in the block that begins at AX, and takes the bit away.
#define PLACE(to) \
	TZCNTQ R8, R9       \
	ADDQ   AX, R9       \
	MOVW   R9, (to)(DI) \
	BLSRQ  R8, R8

// func markAVX2(text *byte, blocks int, places *uint16) int
TEXT ·markAVX2(SB), NOSPLIT, $0-32
	MOVQ           text+0(FP), SI
	MOVQ           blocks+8(FP), CX
	MOVQ           places+16(FP), DI
	MOVQ           DI, BX
	VBROADCASTI128 small<>(SB), Y0
	VBROADCASTI128 capitals<>(SB), Y1
	VBROADCASTI128 brackets<>(SB), Y2
	VPBROADCASTB   brace<>(SB), Y3
	MOVQ           $1, DX       // whether the byte before is one of e r s t: perhaps
	XORQ           AX, AX       // where the block begins

next:
	LOOK(0, R8, R9, R10)
	LOOK(32, R11, R12, R13)
	SHLQ $32, R11
	ORQ  R11, R8
	SHLQ $32, R12
	ORQ  R12, R9
	SHLQ $32, R13
	ORQ  R13, R10
	MOVQ R8, R11
	ADDQ R8, R8
	ORQ  DX, R8
	MOVQ R11, DX
	SHRQ $63, DX
	ANDQ R9, R8
	ORQ  R10, R8

	// Most blocks have no more than four places: these are written without asking how many there are.
	POPCNTQ R8, R12
	LEAQ    (DI)(R12*2), R12
	PLACE(0)
	PLACE(2)
	PLACE(4)
	PLACE(6)
	ADDQ    $8, DI
	TESTQ   R8, R8
	JZ      listed

more:
	PLACE(0)
	ADDQ  $2, DI
	TESTQ R8, R8
	JNZ   more

listed:
	MOVQ R12, DI
	ADDQ $64, SI
	ADDQ $64, AX
	DECQ CX
	JNZ  next
	VZEROUPPER
	SUBQ BX, DI
	SHRQ $1, DI
	MOVQ DI, ret+24(FP)
	RET
