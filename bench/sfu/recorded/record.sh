#!/bin/sh
# Makes the recordings beside this script, once, with ffmpeg (libvpx, libopus): nothing here shows or says anything of anybody.
#
#   bench/sfu/recorded/record.sh
#
# Each file is one group of pictures: a key frame, and what depends on it, so that it can be played again from its start at any
# moment, which is how the generator answers a request for a key frame.
#
#   load-{q,h,f}.ivf     head and shoulders with a camera's noise, at the sizes and rates of three simulcast layers; 2 s
#   face<n>-{q,h,f}.ivf  head and shoulders before a slowly moving gradient: the crowd of a meeting room; 4 s, seamless
#   tone.ogg, quiet.ogg  a swelling tone, and silence; Opus, 20 ms frames, constant rate; 2 s
set -eu
cd "$(dirname "$0")"
alias ffmpeg='ffmpeg -hide_banner -loglevel error -nostdin -y'

layer() { # <filter graph> <width> <height> <kbit/s> <seconds> <file>
    ffmpeg -filter_complex "$1,scale=$2:$3:flags=area,format=yuv420p$noise" -t "$5" -r 30 -c:v libvpx -b:v "$4k" -maxrate "$4k" -bufsize "$4k" \
        $effort -g 9999 -keyint_min 9999 -auto-alt-ref 0 -error-resilient 1 -flags +bitexact -fflags +bitexact "$6"
}

noise= effort='-deadline good -cpu-used 2'
# Colours of the ground (two), of the clothes and of the skin; how far the head sways.
scene() { # <n> <ground> <ground> <clothes> <skin> <sway>
    ground="gradients=s=1280x720:r=30:c0=$2:c1=$3:x0=0:y0=0:x1=1280:y1=720:nb_colors=2:speed=0.00001:seed=$1"
    # An ellipse is the alpha of a plain colour, drawn once and then moved.
    body="color=c=$4:s=900x520:r=30,format=rgba,geq=r='r(X,Y)':g='g(X,Y)':b='b(X,Y)':a='255*lt(hypot((X-450)/430,(Y-500)/420),1)',trim=end_frame=1,loop=-1:1,setpts=N/30/TB"
    head="color=c=$5:s=300x360:r=30,format=rgba,geq=r='r(X,Y)':g='g(X,Y)':b='b(X,Y)':a='255*lt(hypot((X-150)/140,(Y-180)/172),1)',trim=end_frame=1,loop=-1:1,setpts=N/30/TB"
    whole="$ground[g];$body[b];$head[h];[g][b]overlay=x='190+$6/3*sin(2*PI*t/4)':y=400:shortest=0[gb];[gb][h]overlay=x='490+$6*sin(2*PI*t/4)':y='130+6*sin(4*PI*t/4)':shortest=0"
}
face() {
    scene "$@"
    layer "$whole" 320 180 60 4 "face$1-q.ivf"
    layer "$whole" 640 360 120 4 "face$1-h.ivf"
    layer "$whole" 1280 720 250 4 "face$1-f.ivf"
}
face 1 0x33526b 0x9fb7c9 0x20303f 0xe0b899 24
face 2 0x6b5a3a 0xd9c8a4 0x5a2a2a 0x8d5a3b 18
face 3 0x2f5d50 0xa7c7b7 0x2b2b33 0xc99b77 30
face 4 0x5a4a6f 0xc4b8d4 0x34506b 0xf0cfb4 14
face 5 0x7a4b3f 0xe2bfae 0x27413a 0x6b4226 20
face 6 0x4a5560 0xd3d8dc 0x6a5320 0xb9825c 26

# As a camera's: texture that stays and costs a key frame, noise that costs every frame, and an encoder that must not wait.
scene 7 0x33526b 0x9fb7c9 0x20303f 0xe0b899 60
whole="$whole,noise=alls=75:all_seed=3,gblur=1" noise=",noise=alls=8:allf=t:all_seed=7"
effort='-deadline realtime -cpu-used 4 -lag-in-frames 0 -max-intra-rate 900'
layer "$whole" 320 180 130 2 load-q.ivf
layer "$whole" 640 360 400 2 load-h.ivf
layer "$whole" 1280 720 1200 2 load-f.ivf

opus() { # <source> <file>
    ffmpeg -f lavfi -i "$1" -t 2 -ac 1 -ar 48000 -c:a libopus -b:a 32k -vbr off -frame_duration 20 -application voip -map_metadata -1 -flags +bitexact -fflags +bitexact "$2"
}
opus "aevalsrc='0.2*sin(2*PI*220*t)*(0.55-0.45*cos(2*PI*t))':s=48000" tone.ogg
opus "anullsrc=r=48000:cl=mono" quiet.ogg
