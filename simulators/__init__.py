"""A simulated bottling line: PLCs, packer, scale, broker and central ERP, with faults on request.

Nothing here knows the gateway: the simulators speak the protocols and write down what they made.
"""
