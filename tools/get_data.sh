#!/bin/sh
# See to the full Fashion-MNIST: Keras's download, else the Debian or Ubuntu package when root,
# else say how to get it. LR Lab runs without it too, on the bundled sample.
# usage: tools/get_data.sh PYTHON
python=$1
full() {
    "$python" -c "import sys; from lrlab.datasets.fashion_mnist import find_source
sys.exit(find_source().key == 'sample')"
}
"$python" -m lrlab data
full || {
    tools/apt_install.sh dataset-fashion-mnist
    "$python" -m lrlab data
}
